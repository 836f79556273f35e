import type { JobEffect, JobRows } from '../jobs/job-rows.ts';
import type { Prune } from '../events/retention.ts';

/** A job and its webhook: each webhook has one job at a time. */
export interface WebhookRun {
  webhookId: string;
  jobId: string;
}

/** An attempt that has begun. */
export interface BegunAttempt {
  number: number;
  body: string;
  firstAttemptTime: Date;
}

/** How an attempt ended. `retryTime`: undefined = it arrived, or is given up. */
export interface AttemptEnd {
  deliveryId: string;
  number: number;
  durationMs: number;
  statusCode: number | undefined;
  /** '' for a success. */
  error: string;
  retryTime: Date | undefined;
}

/** The sending of what waits for webhooks. */
export interface WebhookRunRepository extends JobRows {
  /** Records a job for each webhook with something due and no job. Replicas never get the same. */
  claim(limit: number, newJobId: () => string): Promise<WebhookRun[]>;
  /** Frees the webhooks of dead jobs too, which may be claimed again after the pause. */
  release(jobIds: readonly string[], pauseMs?: number): Promise<number>;
  /** Undefined when the webhook belongs to another job, or the delivery must not be sent any more. */
  begin(run: WebhookRun, delivery: { id: string; attempts: number; body: string }): Promise<BegunAttempt | undefined>;
  /** `failsThroughout`: no attempt has succeeded since the first one of this message. */
  end(run: WebhookRun, attempt: AttemptEnd): Promise<{ gaveUp: boolean; failsThroughout: boolean }>;
  /** Ends deliveries that are stale, or were given up before they were sent. */
  drop(deliveryIds: readonly string[], end: { state: 'stale' | 'dead'; error: string }): Promise<void>;
  /** Ends its pending deliveries and notifies its owner; returns the notification's id, unless it was disabled before. */
  disable(webhookId: string, reason: string): Promise<string | undefined>;
  /** Releases the webhook until a delivery is due, but at least for the pause. */
  finish(run: WebhookRun, pauseMs: number): Promise<void>;
  /** Ends the pause of its due deliveries. */
  wake(webhookId: string): Promise<JobEffect[]>;
  /** Prunes deliveries that ended, and what belongs to deleted webhooks. */
  prune: Prune;
}
