import type { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { requireUser, type Handlers } from '#libs/grpc';
import type { SchedulerDeps } from '../deps.ts';
import { discardDeadJob } from '../use-cases/discard-dead-job.ts';
import { discardParkedEvent } from '../use-cases/discard-parked-event.ts';
import { explainOverdue } from '../use-cases/explain-overdue.ts';
import { getJob } from '../use-cases/get-job.ts';
import { listDeadJobs } from '../use-cases/list-dead-jobs.ts';
import { listParkedEvents } from '../use-cases/list-parked-events.ts';
import { listQueues } from '../use-cases/list-queues.ts';
import { pauseQueue } from '../use-cases/pause-queue.ts';
import { resumeQueue } from '../use-cases/resume-queue.ts';
import { retryDeadJob } from '../use-cases/retry-dead-job.ts';
import { retryParkedEvent } from '../use-cases/retry-parked-event.ts';
import { readDeadJob, readExplainOverdue, readGetJob, readListDeadJobs, readListParkedEvents, readParkedEvent, readQueue } from './jobs.requests.ts';

type JobMethods =
  | 'listQueues' | 'pauseQueue' | 'resumeQueue' | 'getJob'
  | 'listDeadJobs' | 'retryDeadJob' | 'discardDeadJob'
  | 'listParkedEvents' | 'retryParkedEvent' | 'discardParkedEvent' | 'explainOverdue';

/** What administrators see of jobs, and do to them. */
export function jobsHandlers(deps: SchedulerDeps): Pick<Handlers<typeof SchedulerServiceService>, JobMethods> {
  return {
    listQueues: async () => listQueues(deps),
    pauseQueue: async (request, call) => pauseQueue(deps, requireUser(call), readQueue(request)),
    resumeQueue: async (request, call) => resumeQueue(deps, requireUser(call), readQueue(request)),
    getJob: async (request) => getJob(deps, readGetJob(request)),
    listDeadJobs: async (request, call) => listDeadJobs(deps, requireUser(call), readListDeadJobs(request)),
    retryDeadJob: async (request, call) => retryDeadJob(deps, requireUser(call), readDeadJob(request)),
    discardDeadJob: async (request, call) => discardDeadJob(deps, requireUser(call), readDeadJob(request)),
    listParkedEvents: async (request, call) => listParkedEvents(deps, requireUser(call), readListParkedEvents(request)),
    retryParkedEvent: async (request, call) => retryParkedEvent(deps, requireUser(call), readParkedEvent(request)),
    discardParkedEvent: async (request, call) => discardParkedEvent(deps, requireUser(call), readParkedEvent(request)),
    explainOverdue: async (request) => explainOverdue(deps, readExplainOverdue(request)),
  };
}
