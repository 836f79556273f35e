import type { Webhook } from '#contract/scheduler/v1/notifications';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { webhookEtag } from '../domain/webhook.entity.ts';
import { webhookChanged, webhookNotFound } from '../domain/webhook.errors.ts';
import type { WebhookChange } from '../domain/webhook.repository.ts';
import { getWebhook } from './get-webhook.ts';

export interface UpdateWebhookInput {
  webhookId: string;
  /** '' = whatever the current one is. */
  etag: string;
  change: WebhookChange;
}

/** What waits already goes to the new URL too. */
export async function updateWebhook(deps: Pick<SchedulerDeps, 'uow' | 'webhooks'>, actor: UserActor, input: UpdateWebhookInput): Promise<Webhook> {
  const { webhookId, etag, change } = input;
  await deps.uow.run(async ({ webhooks }) => {
    const webhook = await webhooks.lock(actor.userId, webhookId);
    if (webhook === undefined) throw webhookNotFound(webhookId);
    if (etag !== '' && etag !== webhookEtag(webhook.version)) throw webhookChanged(webhookId);
    await webhooks.change(webhookId, change);
  });
  return getWebhook(deps, actor, webhookId);
}
