import type { Job } from '#contract/scheduler/v1/jobs';
import type { Repositories, SchedulerDeps } from '../../deps.ts';
import type { RecordedEffect } from '../../domain/jobs/job-rows.ts';
import type { LiveJob } from '../../domain/jobs/queue.port.ts';
import { jobNotFound } from '../../domain/jobs/job.errors.ts';
import { fromEffects, fromDeadLetter, fromLive } from '../../domain/jobs/job.messages.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'queue' | 'readJobs' | 'jobWork'>;

/** The job wherever it is; undefined when nothing is recorded. Throws QUEUE_UNAVAILABLE when only Redis could know it, and is away. */
export async function findJob({ uow, queue, readJobs, jobWork }: Deps, jobId: string): Promise<Job | undefined> {
  const effectsOf = async (repositories: Repositories): Promise<RecordedEffect[]> => {
    const effects = [];
    for (const { rows } of jobWork) effects.push(...(await rows(repositories).effectsOf(jobId)));
    return effects;
  };
  const live = await queue.findJob(jobId).catch((error: unknown) => ({ error }));
  const [deadLetter, effects] = await Promise.all([readJobs.deadLetterOf(jobId, queue.names), uow.run(effectsOf)]);
  // A dying job is in both places for a moment and counts as dead.
  if (deadLetter !== undefined) return fromDeadLetter(deadLetter, effects);
  if (isLive(live)) return fromLive(live, effects);
  if (effects.length > 0) return fromEffects(jobId, effects);
  if (live !== undefined) throw live.error;
  return undefined;
}

function isLive(answer: LiveJob | { error: unknown } | undefined): answer is LiveJob {
  return answer !== undefined && 'jobId' in answer;
}

export async function getJob(deps: Deps, jobId: string): Promise<{ job: Job }> {
  const job = await findJob(deps, jobId);
  if (job === undefined) throw jobNotFound(jobId);
  return { job };
}
