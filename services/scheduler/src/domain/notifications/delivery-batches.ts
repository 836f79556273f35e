import type { ClaimedJob } from '../jobs/job-rows.ts';
import type { NewNotification } from './notification.columns.ts';

/** The notifications that one job delivers. */
export interface DeliveryBatch {
  jobId: string;
  notificationIds: string[];
  /** The call behind the first of them. */
  callId: string;
  traceParent: string;
  /** Of the calls behind the others. */
  links: string[];
}

/** For one job: its calls of tasks and users and its transaction serve all of its notifications. */
const maxBatch = 500;

export type Claimable = Pick<NewNotification, 'id' | 'recipientId' | 'callId' | 'traceParent'>;

/**
 * Keeps the notifications of one recipient together: jobs that share recipients ask for the same settings, and wait for each
 * other where digests begin.
 */
export function toBatches(rows: readonly Claimable[], newJobId: () => string): DeliveryBatch[] {
  const sorted = rows.toSorted((a, b) => (a.recipientId < b.recipientId ? -1 : Number(a.recipientId > b.recipientId)));
  return Array.from({ length: Math.ceil(sorted.length / maxBatch) }, (_, index) => {
    const part = sorted.slice(index * maxBatch, (index + 1) * maxBatch);
    const [callId = '', traceParent = ''] = [part[0]?.callId, part[0]?.traceParent];
    const links = [...new Set(part.map((row) => row.traceParent))].filter((other) => other !== traceParent);
    return { jobId: newJobId(), notificationIds: part.map(({ id }) => id), callId, traceParent, links };
  });
}

export function toDeliveryJob({ notificationIds, ...ids }: DeliveryBatch): ClaimedJob {
  return { name: 'deliver-notifications', payload: { notificationIds }, ...ids };
}
