import type { ParkedEvent as StoredParkedEvent, Position } from '#libs/events';
import type { LiveJob, QueueState } from '#libs/jobs';
import type { FiledLetter } from './domain/dead-letter.repository.ts';
import type { JobEffect } from './domain/job-effect.repository.ts';
import type { DeliveryHold, SweepFacts } from './domain/overdue-verdict.ts';

export type { LiveJob, QueueState };

/* The part of the dependencies that insight into jobs needs; see deps.ts. */

/** What a job is for. */
export type JobWork = { notificationIds: string[] } | { runId: string } | WebhookWork;

/** What was due to a webhook, or one delivery to it; undefined when the payload says neither. */
export interface WebhookWork {
  webhookJobId: string;
  webhook: { webhookId: string; deliveryId?: string | undefined } | undefined;
}

/** What a job was made for, and how far that is. */
export interface RecordedEffect extends JobEffect {
  attempts: number;
  callId: string;
  enqueueTime: Date | undefined;
  finishTime: Date | undefined;
}

export interface RecordedDelivery {
  channel: string;
  outcome: string;
  attempts: number;
  error: string;
  createTime: Date;
}

/** What one recipient was told of an event. */
export interface ToldNotification {
  id: string;
  recipientId: string;
  state: string;
  jobId: string | undefined;
  createTime: Date;
  deliverTime: Date | undefined;
  hold: DeliveryHold;
  deliveries: RecordedDelivery[];
}

/** Reads what PostgreSQL knows of queues, jobs and the events behind them. */
export interface JobReader {
  /** The queues that are paused. */
  holds(): Promise<Map<string, { heldBy: string; holdTime: Date }>>;
  /** By queue; counted up to a bound. */
  openLetters(): Promise<Map<string, number>>;
  /** Youngest first, behind the id `after`. */
  letters(filter: { queue: string; name: string; includeSettled: boolean }, after: string | undefined, limit: number): Promise<FiledLetter[]>;
  letterOf(jobId: string, queues: readonly string[]): Promise<FiledLetter | undefined>;
  effectsOf(jobId: string): Promise<RecordedEffect[]>;
}

/** Reads how far events have come, and what followed from them. */
export interface ChainReader {
  /** Oldest first. */
  parkedEvents(after: Position | undefined, limit: number): Promise<(StoredParkedEvent & { parkTime: Date })[]>;
  /** Whether an event has been read past; `idleMs`: how long ago the cursor moved, undefined when it never did. */
  progress(position: Position): Promise<{ pulled: boolean; idleMs: number | undefined; parked: boolean }>;
  notificationsOf(eventId: bigint): Promise<ToldNotification[]>;
  sweep(scheduleId: string): Promise<SweepFacts>;
}
