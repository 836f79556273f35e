import type {
  Notification,
  Webhook,
  WebhookDelivery,
  WebhookDeliveryState,
} from '#contract/scheduler/v1/notifications';
import type { WebhookDeliveryValues, WebhookValues } from './webhook.columns.ts';
import type { WebhookRun } from './webhook-run.repository.ts';

/** Where a page of a webhook's log ended. */
export type DeliveryPosition = { createTime: string; id: string };

/** A webhook as its job needs it. */
export interface RunningWebhook extends Pick<WebhookValues, 'ownerId' | 'url' | 'failingStartTime'> {
  /** The current one first. */
  sealedSecrets: Buffer[];
  /** It is, or was, sent what happens. */
  readsLog: boolean;
}

/** A message that is to be sent now. */
export interface DueDelivery extends Pick<
  WebhookDeliveryValues,
  'id' | 'kind' | 'attemptCount' | 'body' | 'messageId' | 'projectId' | 'otherProjectId'
> {
  /** Undefined for a test, and when it has been pruned. */
  notification: Notification | undefined;
  dueVersion: bigint;
}

/** Reads webhooks and what is sent to them. */
export interface WebhookReader {
  /** Oldest first, behind the id `after`. */
  list(ownerId: string, after: string | undefined, limit: number): Promise<Webhook[]>;
  find(ownerId: string, webhookId: string): Promise<Webhook | undefined>;
  /** Undefined when the job has nothing to do with it (any more). */
  running(run: WebhookRun): Promise<RunningWebhook | undefined>;
  /** Persons and projects of whose events a webhook is sent, up to `limit`. */
  readers(limit: number): Promise<string[]>;
  /** The deliveries that may be sent now: the first of each task. */
  due(webhookId: string, limit: number): Promise<DueDelivery[]>;
  /** Newest first; no states = all. */
  log(
    webhookId: string,
    states: readonly WebhookDeliveryState[],
    after: DeliveryPosition | undefined,
    limit: number,
  ): Promise<{ deliveries: WebhookDelivery[]; next: DeliveryPosition | undefined }>;
}
