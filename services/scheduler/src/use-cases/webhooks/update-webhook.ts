import { UpdateWebhookRequest, UpdateWebhookResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { lockOwn } from '../../domain/webhooks/lock-own.ts';
import type { WebhookChange } from '../../domain/webhooks/webhook.repository.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('UpdateWebhook', UpdateWebhookRequest, UpdateWebhookResponse);

export interface UpdateWebhookInput {
  webhookId: string;
  /** '' = any. */
  etag: string;
  change: WebhookChange;
  /** The client's request without the fields that are ignored. */
  request: UpdateWebhookRequest;
}

/** Pending deliveries go to the new URL too. */
export async function updateWebhook(
  deps: Pick<SchedulerDeps, 'uow'>,
  actor: UserActor,
  { request, ...input }: UpdateWebhookInput,
): Promise<UpdateWebhookResponse> {
  return change(deps, actor, changeOf(request), async ({ webhooks, readWebhook }) => {
    await lockOwn(webhooks, actor.userId, input);
    await webhooks.change(input.webhookId, input.change);
    return { webhook: await readWebhook(actor.userId, input.webhookId) };
  });
}
