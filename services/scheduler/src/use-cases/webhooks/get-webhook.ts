import type { Webhook } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { webhookNotFound } from '../../domain/webhooks/webhook.errors.ts';

/** One of the actor's own; the webhooks of others are treated as absent. */
export async function getWebhook(
  { webhooks }: Pick<SchedulerDeps, 'webhooks'>,
  actor: UserActor,
  webhookId: string,
): Promise<Webhook> {
  const webhook = await webhooks.read.find(actor.userId, webhookId);
  if (webhook === undefined) throw webhookNotFound(webhookId);
  return webhook;
}
