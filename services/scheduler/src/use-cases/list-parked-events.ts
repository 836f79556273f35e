import type { ListParkedEventsResponse, ParkedEvent } from '#contract/scheduler/v1/jobs';
import { TaskEvent } from '#contract/tasks/v1/tasks';
import type { UserActor } from '#libs/runtime';
import type { ChainReader, SchedulerDeps } from '../deps.ts';

type Deps = Pick<SchedulerDeps, 'readChain' | 'pageTokens'>;
type Stored = Awaited<ReturnType<ChainReader['parkedEvents']>>[number];

export interface ListParkedEventsInput {
  pageSize: number;
  pageToken: string;
}

type Place = { transactionId: string; eventId: string };

export async function listParkedEvents({ readChain, pageTokens }: Deps, actor: UserActor, input: ListParkedEventsInput): Promise<ListParkedEventsResponse> {
  const scope = { caller: actor.userId, method: 'ListParkedEvents', filter: null };
  const place = pageTokens.open<Place>(input.pageToken, scope);
  const after = place && { transactionId: BigInt(place.transactionId), eventId: BigInt(place.eventId) };
  const events = await readChain.parkedEvents(after, input.pageSize + 1);
  const page = events.slice(0, input.pageSize);
  const last = events.length > page.length ? page.at(-1) : undefined;
  return { parkedEvents: page.map(toParkedEvent), nextPageToken: last === undefined ? '' : pageTokens.seal(toPlace(last), scope) };
}

function toPlace({ position }: Stored): Place {
  return { transactionId: String(position.transactionId), eventId: String(position.eventId) };
}

function toParkedEvent({ position, event, error, parkTime }: Stored): ParkedEvent {
  const { type, taskId, taskVersion, createTime } = decode(event);
  return { eventId: position.eventId, type, taskId, taskVersion, eventTime: createTime, parkTime, error };
}

/** Its bytes may be what is wrong with it. */
function decode(bytes: Uint8Array): TaskEvent {
  try {
    return TaskEvent.decode(bytes);
  } catch {
    return TaskEvent.fromPartial({});
  }
}
