import { newJobId, type JobQueue, type NewJob, type QueueName } from '#libs/jobs';
import type { QueuePort } from '../domain/jobs/queue.port.ts';
import type { schedulerJobs } from './jobs.ts';

type Jobs = typeof schedulerJobs;

/** The queue as use-cases see it: any kind of job, its payload checked when it is put there. */
export function createQueuePort({ names, ...queue }: JobQueue<Jobs>): QueuePort {
  return {
    names,
    newJobId,
    isReachable: queue.isReachable,
    enqueue: async (jobs) => void (await queue.enqueueMany(jobs as readonly NewJob<Jobs>[])),
    findAlive: queue.find,
    inspect: (name) => queue.inspect(name as QueueName<Jobs>),
    findJob: queue.findJob,
    measure: queue.measure,
  };
}
