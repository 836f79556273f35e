import { webhookEtag } from './webhook.columns.ts';
import { webhookChanged, webhookNotFound } from './webhook.errors.ts';
import type { LockedWebhook, WebhookRepository } from './webhook.repository.ts';

/** One of the owner's webhooks, locked. Throws WEBHOOK_NOT_FOUND, and ETAG_MISMATCH unless the etag is '' or current. */
export async function lockOwn(
  webhooks: Pick<WebhookRepository, 'lock'>,
  ownerId: string,
  { webhookId, etag = '' }: { webhookId: string; etag?: string },
): Promise<LockedWebhook> {
  const webhook = await webhooks.lock(ownerId, webhookId);
  if (webhook === undefined) throw webhookNotFound(webhookId);
  if (etag !== '' && etag !== webhookEtag(webhook.version)) throw webhookChanged(webhookId);
  return webhook;
}
