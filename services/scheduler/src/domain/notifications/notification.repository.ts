import type { JobEffect, JobRows } from '../jobs/job-rows.ts';
import type { Prune } from '../events/retention.ts';
import type { DeliveryBatch } from './delivery-batches.ts';
import type { NewNotification, NotificationValues } from './notification.columns.ts';

/** A notification of an overdue day, before its recipient's hour is known. */
export type UnplannedNotification = Pick<NotificationValues, 'id' | 'recipientId' | 'dueTime'>;

/** How notifications get a job in the transaction that records them, when the queue can take one. */
export interface JobMaker {
  newJobId: () => string;
  /** Called after the commit with the jobs that are still to be made. */
  claimed: (batches: DeliveryBatch[]) => void;
}

export interface NotificationRepository extends JobRows {
  /**
   * Notifications whose event and recipient are stored already stay as they are. With `jobs`, those that need not wait are
   * claimed at once, which saves a second version of their row. Returns the number of claimed batches.
   */
  add(notifications: NewNotification[], jobs?: JobMaker): Promise<number>;
  /** The notifications whose recipient's hour has to be looked up, oldest first. */
  listUnplanned(limit: number): Promise<UnplannedNotification[]>;
  /** Sets when they are to be delivered; a notification that has been planned stays as it is. */
  plan(planned: { id: string; deliverAfter: Date }[]): Promise<void>;
  /** Records a job for each batch of pending notifications that have none and are due, oldest first. Replicas never get the same. */
  claim(limit: number, newJobId: () => string): Promise<DeliveryBatch[]>;
  /** Ends the notifications that are still pending, since their job died. */
  end(ids: string[], death: { attempts: number; error: string }): Promise<void>;
  /** Makes the dead ones pending again, without a job; returns them. */
  revive(ids: string[]): Promise<JobEffect[]>;
  /** Prunes delivered, muted and stale notifications, and dead ones whose dead letter is closed, with their deliveries. */
  prune: Prune;
}
