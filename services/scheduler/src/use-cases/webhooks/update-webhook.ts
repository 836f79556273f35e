import { UpdateWebhookRequest, UpdateWebhookResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { lockOwn } from '../../domain/webhooks/lock-own.ts';
import type { WebhookChange } from '../../domain/webhooks/webhook.repository.ts';
import { changeAfter, changesOf } from '../change.ts';

const changeOf = changesOf('UpdateWebhook', UpdateWebhookRequest, UpdateWebhookResponse);

export interface UpdateWebhookInput {
  webhookId: string;
  /** '' = any. */
  etag: string;
  change: WebhookChange;
  /** The client's request without the fields that are ignored. */
  request: UpdateWebhookRequest;
}

/** Pending deliveries go to the new URL too. Events that are named for the first time are those from now on. */
export async function updateWebhook(
  deps: Pick<SchedulerDeps, 'uow' | 'recall' | 'tasks'>,
  actor: UserActor,
  { request, ...input }: UpdateWebhookInput,
): Promise<UpdateWebhookResponse> {
  const { events = [] } = input.change;
  const reader = { userId: actor.userId, projectId: '' };
  return changeAfter(deps, actor, changeOf(request), {
    ask: async () => (events.length === 0 ? undefined : deps.tasks.findPosition(reader)),
    work: async ({ webhooks, webhookFeeds, readWebhook }, start) => {
      const before = await lockOwn(webhooks, actor.userId, input);
      if (start !== undefined && before.events.length === 0)
        await webhookFeeds.startAt(input.webhookId, start.position);
      await webhooks.change(input.webhookId, input.change);
      return { webhook: await readWebhook(actor.userId, input.webhookId) };
    },
  });
}
