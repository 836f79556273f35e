import { newJobId, type JobQueue, type QueueName } from '#libs/jobs';
import type { QueuePort } from '../deps.ts';
import { deliverNotificationsJob, deliverWebhooksJob, runScheduleJob, type schedulerJobs } from './definitions.ts';

/** The scheduler's words for what it does with its queue. */
export function createQueuePort(queue: JobQueue<typeof schedulerJobs>): QueuePort {
  return {
    isReachable: () => queue.isReachable(),
    newJobId,
    addDeliveries: async (batches) => {
      const jobs = batches.map(({ notificationIds, ...ids }) => ({
        name: deliverNotificationsJob.name,
        payload: { notificationIds },
        ...ids,
      }));
      await queue.enqueueMany(jobs);
    },
    addRuns: async (runs) => {
      const jobs = runs.map(({ scheduleId, runId, ...ids }) => ({ name: runScheduleJob.name, payload: { scheduleId, runId }, ...ids }));
      await queue.enqueueMany(jobs);
    },
    addWebhookRuns: async (runs) => {
      await queue.enqueueMany(runs.map(({ webhookId, jobId }) => ({ name: deliverWebhooksJob.name, payload: { webhookId }, jobId })));
    },
    findAlive: (jobIds) => queue.find(jobIds),
    names: queue.names,
    inspect: (name) => queue.inspect(name as QueueName<typeof schedulerJobs>),
    findJob: (jobId) => queue.findJob(jobId),
    measure: () => queue.measure(),
  };
}
