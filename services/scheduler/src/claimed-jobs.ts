import type { ClaimedJobs } from './deps.ts';
import type { DeliveryBatch } from './domain/notification.repository.ts';

/** Some sweeps' batches ahead of the queue: what comes when it is that slow is left for the dispatcher to find. */
const maxWaiting = 40;

/** In memory only: what is lost with the process, the reconciler of any process makes again. */
export function createClaimedJobs(): ClaimedJobs {
  let waiting: DeliveryBatch[] = [];
  return {
    hasRoom: () => waiting.length < maxWaiting,
    put: (batches) => void waiting.push(...batches),
    take: () => {
      const taken = waiting;
      waiting = [];
      return taken;
    },
  };
}
