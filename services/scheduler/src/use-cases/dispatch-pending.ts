import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'queue'>;

const batchSize = 2_000;

/**
 * Gives jobs to everything pending that has none. The job's id is committed before the job exists, so that a crash or a
 * failing queue in between leaves a job that is missing, which `recoverLostJobs` finds, and never one that nobody knows.
 * Nothing is claimed while the queue is out of reach. Returns whether more may be waiting.
 */
export async function dispatchPending({ uow, queue }: Deps): Promise<{ again: boolean }> {
  if (!queue.isReachable()) return { again: false };
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
  if (batches.length > 0) {
    await queue.addDeliveries(batches);
    crashPoint('enqueue.after');
  }
  if (webhooks.length > 0) await queue.addWebhookRuns(webhooks);
  const claimed = batches.reduce((sum, batch) => sum + batch.notificationIds.length, 0);
  return { again: claimed === batchSize || runs.length === batchSize || webhooks.length === batchSize };
}
