import type { WebhookState } from '#contract/scheduler/v1/notifications';
import type { WebhookValues } from './webhook.columns.ts';

/** The part of a webhook that its owner's requests decide on; locked. */
export type LockedWebhook = Pick<WebhookValues, 'id' | 'state' | 'version' | 'secret' | 'events' | 'projectId'>;

/** The fields that an update names. */
export type WebhookChange = Partial<Pick<WebhookValues, 'url' | 'description' | 'kinds' | 'events'>>;

export type NewWebhook = Pick<
  WebhookValues,
  'id' | 'ownerId' | 'url' | 'description' | 'kinds' | 'secret' | 'events' | 'projectId'
>;

/** Changes of webhooks by their owners. */
export interface WebhookRepository {
  /** How many a user has; other requests of this user wait until the transaction ends. */
  countLocked(ownerId: string): Promise<number>;
  add(webhook: NewWebhook): Promise<void>;
  /** Undefined when the user has no such webhook. */
  lock(ownerId: string, webhookId: string): Promise<LockedWebhook | undefined>;
  change(webhookId: string, change: WebhookChange): Promise<void>;
  /** Its secrets go at once, the rest is pruned later. */
  delete(webhookId: string): Promise<void>;
  rotate(webhookId: string, rotation: { secret: Buffer; previous: Buffer; graceMs: number }): Promise<void>;
  /** False when it was not disabled. */
  enable(webhookId: string): Promise<boolean>;
  addTest(webhookId: string, test: { deliveryId: string; messageId: string; body: string }): Promise<void>;
  /** Undefined when there is none; it stays so until the transaction ends. */
  stateOf(webhookId: string): Promise<WebhookState | undefined>;
  /** False when there is no such delivery. */
  redeliver(webhookId: string, deliveryId: string): Promise<boolean>;
}
