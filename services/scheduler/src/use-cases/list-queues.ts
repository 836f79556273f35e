import type { ListQueuesResponse, Queue } from '#contract/scheduler/v1/jobs';
import type { SchedulerDeps } from '../deps.ts';
import { toDuration } from './job-messages.ts';

type Deps = Pick<SchedulerDeps, 'queue' | 'readJobs'>;

/** What PostgreSQL decides is always told; how full a queue is only Redis knows. */
export async function listQueues({ queue, readJobs }: Deps): Promise<ListQueuesResponse> {
  const [holds, letters] = await Promise.all([readJobs.holds(), readJobs.openLetters()]);
  const names = [...queue.names].sort();
  const states = await Promise.all(names.map((name) => queue.inspect(name).catch(() => undefined)));
  const queues = names.map((name, index): Queue => {
    const hold = holds.get(name);
    const state = states[index];
    return {
      name,
      paused: hold !== undefined,
      pauseTime: hold?.holdTime,
      pausedBy: hold?.heldBy ?? '',
      deadCount: BigInt(letters.get(name) ?? 0),
      ...depthOf(state),
    };
  });
  return { queues };
}

type Depth = Pick<Queue, 'reachable' | 'waitingCount' | 'activeCount' | 'delayedCount' | 'oldestWaitingAge' | 'completedPerMinute' | 'diedPerMinute'>;

function depthOf(state: Awaited<ReturnType<Deps['queue']['inspect']>> | undefined): Depth {
  if (state === undefined) {
    return { reachable: false, waitingCount: 0n, activeCount: 0n, delayedCount: 0n, oldestWaitingAge: undefined, completedPerMinute: 0, diedPerMinute: 0 };
  }
  const { oldestWaitingMs, completedPerMinute, diedPerMinute } = state;
  return {
    reachable: true,
    waitingCount: BigInt(state.waiting),
    activeCount: BigInt(state.active),
    delayedCount: BigInt(state.delayed),
    oldestWaitingAge: oldestWaitingMs === undefined ? undefined : toDuration(oldestWaitingMs),
    completedPerMinute,
    diedPerMinute,
  };
}
