import type { ClaimedJobs } from '../domain/jobs/queue.port.ts';
import type { ClaimedJob } from '../domain/jobs/job-rows.ts';

/** A few sweeps' batches. Beyond that the queue is too slow, and the dispatcher claims the rest later. */
const maxWaiting = 40;

/** In memory only: the reconciler of any process makes the jobs again that are lost with this one. */
export function createClaimedJobs(): ClaimedJobs {
  let waiting: ClaimedJob[] = [];
  return {
    hasRoom: () => waiting.length < maxWaiting,
    isEmpty: () => waiting.length === 0,
    put: (jobs) => void waiting.push(...jobs),
    take: () => {
      const taken = waiting;
      waiting = [];
      return taken;
    },
  };
}
