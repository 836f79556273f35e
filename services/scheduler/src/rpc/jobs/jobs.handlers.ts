import type { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { fieldTypes, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser, type Handlers } from '#libs/grpc';
import { z } from 'zod';
import type { SchedulerDeps } from '../../deps.ts';
import { discardDeadJob } from '../../use-cases/jobs/discard-dead-job.ts';
import { getJob } from '../../use-cases/jobs/get-job.ts';
import { listDeadJobs } from '../../use-cases/jobs/list-dead-jobs.ts';
import { listQueues } from '../../use-cases/jobs/list-queues.ts';
import { pauseQueue } from '../../use-cases/jobs/pause-queue.ts';
import { resumeQueue } from '../../use-cases/jobs/resume-queue.ts';
import { retryDeadJob } from '../../use-cases/jobs/retry-dead-job.ts';
import { mutation, page } from '../fields.ts';

/** Queues, jobs and dead jobs, for administrators. */
export function jobsHandlers(deps: SchedulerDeps) {
  return {
    listQueues: async (request, call) => listQueues(deps, requireUser(call), parseRequest(listQueuesSchema, request)),
    pauseQueue: async (request, call) => pauseQueue(deps, requireUser(call), parseRequest(queueSchema, request)),
    resumeQueue: async (request, call) => resumeQueue(deps, requireUser(call), parseRequest(queueSchema, request)),
    getJob: async (request) => getJob(deps, parseRequest(jobSchema, request).jobId),
    listDeadJobs: async (request, call) =>
      listDeadJobs(deps, requireUser(call), parseRequest(listDeadJobsSchema, request)),
    retryDeadJob: async (request, call) => retryDeadJob(deps, requireUser(call), parseRequest(deadJobSchema, request)),
    discardDeadJob: async (request, call) =>
      discardDeadJob(deps, requireUser(call), parseRequest(deadJobSchema, request)),
  } satisfies Partial<Handlers<typeof SchedulerServiceService>>;
}

const listQueuesSchema = z.object(page('ListQueuesRequest'));
const pause = fieldsOf('taskflow.scheduler.v1.PauseQueueRequest');
const queueSchema = z.object({ queue: pause.text('queue'), etag: z.string(), ...mutation });
const jobSchema = z.object({ jobId: fieldTypes.uuid() });
const listDead = fieldsOf('taskflow.scheduler.v1.ListDeadJobsRequest');
const listDeadJobsSchema = z.object({
  queue: listDead.text('queue'),
  name: listDead.text('name'),
  includeResolved: z.boolean(),
  ...page('ListDeadJobsRequest'),
});
const deadJobSchema = z.object({ deadJobId: fieldTypes.uuid(), ...mutation });
