import { RedeliverWebhookRequest, RedeliverWebhookResponse, WebhookState } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { lockOwn } from '../../domain/webhooks/lock-own.ts';
import { webhookDeliveryNotFound, webhookNotEnabled } from '../../domain/webhooks/webhook.errors.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('RedeliverWebhook', RedeliverWebhookRequest, RedeliverWebhookResponse);

/** The same message again, with a new day of attempts. */
export async function redeliverWebhook(
  deps: Pick<SchedulerDeps, 'uow' | 'notifyDispatcher'>,
  actor: UserActor,
  request: RedeliverWebhookRequest,
): Promise<RedeliverWebhookResponse> {
  const { webhookId, deliveryId } = request;
  const response = await change(deps, actor, changeOf(request), async ({ webhooks }) => {
    const webhook = await lockOwn(webhooks, actor.userId, request);
    if (webhook.state !== WebhookState.ENABLED) throw webhookNotEnabled(webhookId);
    if (!(await webhooks.redeliver(webhookId, deliveryId))) throw webhookDeliveryNotFound(deliveryId);
    return {};
  });
  if (!request.validateOnly) deps.notifyDispatcher();
  return response;
}
