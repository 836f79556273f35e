import type { Job } from '#contract/scheduler/v1/jobs';
import type { LiveJob, SchedulerDeps } from '../deps.ts';
import { jobNotFound } from '../domain/job.errors.ts';
import { fromEffects, fromLetter, fromLive } from './job-messages.ts';

type Deps = Pick<SchedulerDeps, 'queue' | 'readJobs'>;

/** The job wherever it is; undefined when nothing is recorded. Throws QUEUE_UNAVAILABLE when only Redis could know it, and is away. */
export async function findJob({ queue, readJobs }: Deps, jobId: string): Promise<Job | undefined> {
  const live = await queue.findJob(jobId).catch((error: unknown) => ({ error }));
  const [letter, effects] = await Promise.all([readJobs.letterOf(jobId, queue.names), readJobs.effectsOf(jobId)]);
  // Being buried, it is in both places for a moment: then it is dead.
  if (letter !== undefined) return fromLetter(letter, effects);
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
