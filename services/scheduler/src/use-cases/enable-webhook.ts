import type { Webhook } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { webhookNotFound } from '../domain/webhook.errors.ts';
import { getWebhook } from './get-webhook.ts';

/** What was given up when it was disabled stays so; RedeliverWebhook brings it back. */
export async function enableWebhook(deps: Pick<SchedulerDeps, 'uow' | 'webhooks'>, actor: UserActor, webhookId: string): Promise<Webhook> {
  await deps.uow.run(async ({ webhooks }) => {
    if ((await webhooks.lock(actor.userId, webhookId)) === undefined) throw webhookNotFound(webhookId);
    await webhooks.enable(webhookId);
  });
  return getWebhook(deps, actor, webhookId);
}
