import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { ClaimedJob } from '../../domain/jobs/job-rows.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'queue' | 'jobWork' | 'claimedJobs'>;

const batchSize = 2_000;

/** Makes the jobs that were claimed with what they deliver. */
export async function enqueueClaimed({ queue, claimedJobs }: Pick<Deps, 'queue' | 'claimedJobs'>): Promise<void> {
  if (queue.isReachable()) await enqueue(queue, claimedJobs.take());
}

async function enqueue(queue: Deps['queue'], jobs: ClaimedJob[]): Promise<void> {
  if (jobs.length === 0) return;
  await queue.enqueue(jobs);
  crashPoints('enqueue.after', jobs);
}

/** One for each kind of job, so that a test can choose the kind whose claim is cut off. */
function crashPoints(point: string, jobs: ClaimedJob[]): void {
  for (const name of new Set(jobs.map((job) => job.name))) crashPoint(`${point}.${name}`);
}

/**
 * Makes the claimed jobs, and gives jobs to all pending rows that have none. A job's id is committed before the job exists: a
 * crash or a failing queue in between leaves a missing job, which `recoverLostJobs` finds, and never an unknown one. Claims
 * nothing while the queue is out of reach. Returns whether more rows may be waiting.
 */
export async function dispatchPending({ uow, queue, jobWork, claimedJobs }: Deps): Promise<{ again: boolean }> {
  if (!queue.isReachable()) return { again: false };
  await enqueueClaimed({ queue, claimedJobs });
  const claims = await uow.run(async (repositories) => {
    const made = [];
    for (const { claim } of jobWork) made.push(await claim(repositories, batchSize, queue.newJobId));
    crashPoints(
      'claim.before-commit',
      made.flatMap((claim) => claim.jobs),
    );
    return made;
  });
  const jobs = claims.flatMap((claim) => claim.jobs);
  crashPoints('claim.after-commit', jobs);
  await enqueue(queue, jobs);
  return { again: claims.some(({ count }) => count === batchSize) };
}
