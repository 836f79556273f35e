import { EnableWebhookRequest, EnableWebhookResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { lockOwn } from '../../domain/webhooks/lock-own.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('EnableWebhook', EnableWebhookRequest, EnableWebhookResponse);

/** Deliveries that died when it was disabled stay dead; RedeliverWebhook sends them again. */
export async function enableWebhook(
  deps: Pick<SchedulerDeps, 'uow'>,
  actor: UserActor,
  request: EnableWebhookRequest,
): Promise<EnableWebhookResponse> {
  const { webhookId } = request;
  return change(deps, actor, changeOf(request), async ({ webhooks, readWebhook }) => {
    await lockOwn(webhooks, actor.userId, request);
    await webhooks.enable(webhookId);
    return { webhook: await readWebhook(actor.userId, webhookId) };
  });
}
