import type { ListQueuesResponse, Queue } from '#contract/scheduler/v1/jobs';
import { toDuration, type UserActor } from '#libs/runtime';
import { queueEtag } from '../../domain/jobs/paused-queue.entity.ts';
import type { SchedulerDeps } from '../../deps.ts';
import type { PageInput } from '../page-input.ts';

type Deps = Pick<SchedulerDeps, 'queue' | 'readJobs' | 'pageTokens'>;

/** The pause and the dead jobs come from PostgreSQL, the depth of the queue from Redis, which may be away. */
export async function listQueues(
  { queue, readJobs, pageTokens }: Deps,
  actor: UserActor,
  { pageSize, pageToken }: PageInput,
): Promise<ListQueuesResponse> {
  const scope = { caller: actor.userId, method: 'ListQueues', filter: null };
  const after = pageTokens.open<string>(pageToken, scope) ?? '';
  const rest = [...queue.names].sort().filter((name) => name > after);
  const names = rest.slice(0, pageSize);
  const last = rest.length > pageSize ? names.at(-1) : undefined;
  const [pausedQueues, deadLetters] = await Promise.all([readJobs.pausedQueues(), readJobs.openDeadLetters()]);
  const states = await Promise.all(names.map((name) => queue.inspect(name).catch(() => undefined)));
  const queues = names.map((name, index): Queue => {
    const pause = pausedQueues.get(name);
    return {
      name,
      paused: pause !== undefined,
      pauseTime: pause?.pauseTime,
      etag: queueEtag(pause?.pauseTime),
      pauserId: pause?.pausedBy ?? '',
      deadCount: BigInt(deadLetters.get(name) ?? 0),
      ...depthOf(states[index]),
    };
  });
  return { queues, nextPageToken: last === undefined ? '' : pageTokens.seal(last, scope) };
}

type Depth = Pick<
  Queue,
  | 'reachable'
  | 'waitingCount'
  | 'activeCount'
  | 'delayedCount'
  | 'oldestWaitingAge'
  | 'completedPerMinute'
  | 'diedPerMinute'
>;

function depthOf(state: Awaited<ReturnType<Deps['queue']['inspect']>> | undefined): Depth {
  if (state === undefined) {
    return {
      reachable: false,
      waitingCount: 0n,
      activeCount: 0n,
      delayedCount: 0n,
      oldestWaitingAge: undefined,
      completedPerMinute: 0,
      diedPerMinute: 0,
    };
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
