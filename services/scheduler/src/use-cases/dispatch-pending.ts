import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import type { DeliveryBatch } from '../domain/notification.repository.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'queue' | 'claimedJobs'>;

const batchSize = 2_000;

/** Makes the jobs that were claimed with what they deliver. */
export async function enqueueClaimed({ queue, claimedJobs }: Pick<Deps, 'queue' | 'claimedJobs'>): Promise<void> {
  if (queue.isReachable()) await enqueue(queue, claimedJobs.take());
}

async function enqueue(queue: Deps['queue'], batches: DeliveryBatch[]): Promise<void> {
  if (batches.length === 0) return;
  await queue.addDeliveries(batches);
  crashPoint('enqueue.after');
}

/**
 * Makes the jobs that are claimed, and gives jobs to everything pending that has none. The job's id is committed before the job exists, so that a crash or a
 * failing queue in between leaves a job that is missing, which `recoverLostJobs` finds, and never one that nobody knows.
 * Nothing is claimed while the queue is out of reach. Returns whether more may be waiting.
 */
export async function dispatchPending({ uow, queue, claimedJobs }: Deps): Promise<{ again: boolean }> {
  if (!queue.isReachable()) return { again: false };
  await enqueueClaimed({ queue, claimedJobs });
  const { batches, runs, webhooks } = await uow.run(async ({ notifications, scheduleRuns, webhookRuns }) => {
    const claimed = {
      webhooks: await webhookRuns.claim(batchSize, queue.newJobId),
      runs: await scheduleRuns.claim(batchSize, queue.newJobId),
      batches: await notifications.claim(batchSize, queue.newJobId),
    };
    if (claimed.batches.length > 0) crashPoint('claim.before-commit');
    return claimed;
  });
  if (batches.length > 0) crashPoint('claim.after-commit');
  if (runs.length > 0) await queue.addRuns(runs);
  await enqueue(queue, batches);
  if (webhooks.length > 0) await queue.addWebhookRuns(webhooks);
  const claimed = batches.reduce((sum, batch) => sum + batch.notificationIds.length, 0);
  return { again: claimed === batchSize || runs.length === batchSize || webhooks.length === batchSize };
}
