import { RedeliverWebhookRequest, RedeliverWebhookResponse } from '#contract/scheduler/v1/notifications';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { webhookDeliveryNotFound, webhookNotEnabled, webhookNotFound } from '../domain/webhook.errors.ts';

export interface RedeliverInput {
  webhookId: string;
  deliveryId: string;
  requestId: string;
}

/** The same message again, with a new day of attempts. */
export async function redeliverWebhook({ uow, wakeDispatch }: Pick<SchedulerDeps, 'uow' | 'wakeDispatch'>, actor: UserActor, input: RedeliverInput): Promise<RedeliverWebhookResponse> {
  const { webhookId, deliveryId, requestId } = input;
  const response = await uow.run(
    async ({ webhooks }) => {
      const webhook = await webhooks.lock(actor.userId, webhookId);
      if (webhook === undefined) throw webhookNotFound(webhookId);
      if (webhook.state !== 'enabled') throw webhookNotEnabled(webhookId);
      if (!(await webhooks.redeliver(webhookId, deliveryId))) throw webhookDeliveryNotFound(deliveryId);
      return {};
    },
    once({ userId: actor.userId, method: 'RedeliverWebhook', requestId }, { webhookId, deliveryId, requestId: '' }, RedeliverWebhookRequest, RedeliverWebhookResponse),
  );
  wakeDispatch();
  return response;
}
