import type { SchedulerDeps } from '../deps.ts';

/** The part of this process that works on jobs. */
export interface HoldableWorker {
  hold(queue: string): void;
  release(queue: string): void;
}

type Deps = Pick<SchedulerDeps, 'readJobs' | 'queue' | 'metrics'>;

/**
 * Makes this process do what PostgreSQL says about paused queues. While PostgreSQL is away, what was true last stays so;
 * a process that has never reached it begins no job.
 */
export async function followHolds({ readJobs, queue, metrics }: Deps, worker: HoldableWorker): Promise<void> {
  const holds = await readJobs.holds();
  for (const name of queue.names) {
    if (holds.has(name)) worker.hold(name);
    else worker.release(name);
    metrics.paused(name, holds.has(name));
  }
}
