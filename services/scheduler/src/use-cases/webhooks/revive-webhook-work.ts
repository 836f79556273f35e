import { WebhookState } from '#contract/scheduler/v1/notifications';
import type { Repositories } from '../../deps.ts';
import type { JobEffect } from '../../domain/jobs/job-rows.ts';
import { webhookNotEnabled } from '../../domain/webhooks/webhook.errors.ts';

/** Makes the deliveries of a dead job pending again: all that are due to the webhook, or one. */
export async function reviveWebhookWork(
  { webhooks, webhookRuns }: Pick<Repositories, 'webhooks' | 'webhookRuns'>,
  { webhookId, deliveryId }: { webhookId: string; deliveryId?: string | undefined },
): Promise<JobEffect[]> {
  if (deliveryId === undefined) return webhookRuns.wake(webhookId);
  const state = await webhooks.stateOf(webhookId);
  // Nothing is sent to a disabled webhook, so the dead letter stays open until its owner has enabled the webhook.
  if (state === WebhookState.DISABLED) throw webhookNotEnabled(webhookId);
  const revived = state === WebhookState.ENABLED && (await webhooks.redeliver(webhookId, deliveryId));
  return revived ? [{ kind: 'webhook-delivery', id: deliveryId, state: 'pending' }] : [];
}
