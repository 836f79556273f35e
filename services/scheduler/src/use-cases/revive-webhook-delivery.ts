import type { SchedulerDeps } from '../deps.ts';

/** Gives a dead message a new day of attempts; one that is gone stays so. */
export async function reviveWebhookDelivery(
  { uow, wakeDispatch }: Pick<SchedulerDeps, 'uow' | 'wakeDispatch'>,
  { webhookId, deliveryId }: { webhookId: string; deliveryId: string },
): Promise<void> {
  await uow.run(({ webhooks }) => webhooks.redeliver(webhookId, deliveryId));
  wakeDispatch();
}
