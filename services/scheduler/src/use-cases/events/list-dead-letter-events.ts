import type { ListDeadLetterEventsResponse, DeadLetterEvent } from '#contract/scheduler/v1/jobs';
import { TaskEvent } from '#contract/tasks/v1/tasks';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import type { ChainReader } from '../../domain/events/chain.reader.ts';
import type { PageInput } from '../page-input.ts';

type Deps = Pick<SchedulerDeps, 'readChain' | 'pageTokens'>;
type Stored = Awaited<ReturnType<ChainReader['deadLetterEvents']>>[number];

type Place = { eventId: string };

export async function listDeadLetterEvents(
  { readChain, pageTokens }: Deps,
  actor: UserActor,
  input: PageInput,
): Promise<ListDeadLetterEventsResponse> {
  const scope = { caller: actor.userId, method: 'ListDeadLetterEvents', filter: null };
  const place = pageTokens.open<Place>(input.pageToken, scope);
  const events = await readChain.deadLetterEvents(BigInt(place?.eventId ?? 0), input.pageSize + 1);
  const page = events.slice(0, input.pageSize);
  const last = events.length > page.length ? page.at(-1) : undefined;
  return {
    deadLetterEvents: page.map(toDeadLetterEvent),
    nextPageToken: last === undefined ? '' : pageTokens.seal({ eventId: String(last.eventId) }, scope),
  };
}

function toDeadLetterEvent({ eventId, event, error, deadLetterTime }: Stored): DeadLetterEvent {
  const { type, taskId, taskVersion, createTime } = decode(event);
  return { eventId, type, taskId, taskVersion, eventTime: createTime, deadLetterTime, error };
}

/** An empty event when the bytes are damaged. */
function decode(bytes: Uint8Array): TaskEvent {
  try {
    return TaskEvent.decode(bytes);
  } catch {
    return TaskEvent.fromPartial({});
  }
}
