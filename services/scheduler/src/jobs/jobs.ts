import type { JobHandlers, JobRun, QueueName } from '#libs/jobs';
import type { Repositories, SchedulerDeps } from '../deps.ts';
import type { JobWork } from '../domain/jobs/job-work.ts';
import { deliverNotificationsJob } from './deliver-notifications.job.ts';
import { deliverWebhooksJob } from './deliver-webhooks.job.ts';
import { toJobWork, type JobKind } from './job-kind.ts';
import { outlastingOutages } from './outage.ts';
import { runScheduleJob } from './run-schedule.job.ts';
import { sendMailJob } from './send-mail.job.ts';

/** Every kind of job of this service. Each queue has slots of its own, so that none keeps another waiting. */
export const schedulerJobs = [deliverWebhooksJob, runScheduleJob, deliverNotificationsJob, sendMailJob] as const;

/** Without the types of their payloads, which only the kinds themselves need. */
const kinds = schedulerJobs as readonly unknown[] as readonly JobKind[];

/** The part of each kind that the dispatcher, the reconciler and the dead letters need. */
export const jobWork: readonly JobWork<Repositories>[] = kinds.flatMap(toJobWork);

type Jobs = typeof schedulerJobs;
type ByQueue = Record<QueueName<Jobs>, number>;
type Handler = (payload: unknown, run: JobRun) => Promise<void>;

export function jobHandlers(deps: SchedulerDeps): JobHandlers<Jobs> {
  const handlerOf =
    (kind: JobKind): Handler =>
    (payload, run) =>
      outlastingOutages(run, kind.longestPauseMs, () => kind.run(deps, payload, run));
  return Object.fromEntries(kinds.map((kind) => [kind.name, handlerOf(kind)])) as JobHandlers<Jobs>;
}

/** A worker's settings for each queue. */
export const queueSettings = {
  concurrency: Object.fromEntries(kinds.map(({ queue, concurrency }) => [queue, concurrency])) as ByQueue,
  lockMs: Object.fromEntries(
    kinds.flatMap(({ queue, lockMs }) => (lockMs === undefined ? [] : [[queue, lockMs]])),
  ) as Partial<ByQueue>,
};
