import type { SchedulerDeps } from '../../deps.ts';

/** The job worker of this process. */
export interface PausableWorker {
  pause(queue: string): void;
  resume(queue: string): void;
}

type Deps = Pick<SchedulerDeps, 'readJobs' | 'queue' | 'metrics'>;

/**
 * Applies the paused queues of PostgreSQL to this process. While PostgreSQL is away, the last known state stays; a process that
 * has never reached it starts no job.
 */
export async function followPausedQueues({ readJobs, queue, metrics }: Deps, worker: PausableWorker): Promise<void> {
  const pausedQueues = await readJobs.pausedQueues();
  for (const name of queue.names) {
    if (pausedQueues.has(name)) worker.pause(name);
    else worker.resume(name);
    metrics.paused(name, pausedQueues.has(name));
  }
}
