import { EnableWebhookRequest, EnableWebhookResponse } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { lockOwn } from '../../domain/webhooks/lock-own.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('EnableWebhook', EnableWebhookRequest, EnableWebhookResponse);

/**
 * Notifications that died when it was disabled stay dead; RedeliverWebhook sends them again. What happened is read on, and
 * waits again.
 */
export async function enableWebhook(
  deps: Pick<SchedulerDeps, 'uow' | 'notifyDispatcher'>,
  actor: UserActor,
  request: EnableWebhookRequest,
): Promise<EnableWebhookResponse> {
  const { webhookId } = request;
  const response = await change(deps, actor, changeOf(request), async ({ webhooks, webhookFeeds, readWebhook }) => {
    await lockOwn(webhooks, actor.userId, request);
    if (await webhooks.enable(webhookId)) await webhookFeeds.resume(webhookId);
    return { webhook: await readWebhook(actor.userId, webhookId) };
  });
  if (!request.validateOnly) deps.notifyDispatcher();
  return response;
}
