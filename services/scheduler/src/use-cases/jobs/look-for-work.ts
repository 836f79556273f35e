import type { SchedulerDeps } from '../../deps.ts';

/** The job worker of this process. */
export interface PausableWorker {
  pause(queue: string): void;
  resume(queue: string): void;
}

/** The loops that do the work. */
export interface Nudges {
  ticker(): void;
  planner(): void;
  dispatcher(): void;
}

type Deps = Pick<SchedulerDeps, 'readWaitingWork' | 'queue' | 'claimedJobs' | 'metrics'>;

/**
 * Looks once for everything that this process has to do, instead of one look by each loop. Applies the paused queues first:
 * while PostgreSQL is away, the last known state stays, and a process that has never reached it starts no job.
 */
export async function lookForWork(
  { readWaitingWork, queue, claimedJobs, metrics }: Deps,
  worker: PausableWorker,
  nudges: Nudges,
): Promise<void> {
  const waiting = await readWaitingWork();
  for (const name of queue.names) {
    const isPaused = waiting.pausedQueues.has(name);
    if (isPaused) worker.pause(name);
    else worker.resume(name);
    metrics.paused(name, isPaused);
  }
  if (waiting.schedules) nudges.ticker();
  if (waiting.plans) nudges.planner();
  if (waiting.jobs || !claimedJobs.isEmpty()) nudges.dispatcher();
}
