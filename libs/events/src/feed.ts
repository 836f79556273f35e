import type { SqlReader, Statement } from '#libs/db';
import { toParts, type Joining, type Membership, type StoredParts } from './joining.ts';
import { currentLog, readLog, type LogRow } from './incarnation.ts';
import {
  eventColumns,
  incarnationOf,
  judgePosition,
  placeColumns,
  positionPlace,
  toEvent,
  type EventRow,
  type Nullable,
  type PlaceRow,
  type PositionFaults,
  type StoredEvent,
} from './pull.ts';
import { toParameters, type Position } from './position.ts';

/** A page of the log. `next` lies after everything that was read, also when nothing was found. */
export interface FeedPage extends PositionFaults {
  events: StoredEvent[];
  next: Position;
  /** The page is full, so there may be more. */
  more: boolean;
  /** The shared parts that the user of `readUser` read when the page was read, and from where on. */
  parts?: ReadonlyMap<string, Joining>;
}

/** Which part of the log a reader follows: what concerns the person alone, or what is shared with the person as well. */
export type FeedScope = 'own' | 'all';

/**
 * A log whose events stand in an order that never changes. A reader follows one incarnation of it. A position of
 * another incarnation is unknown, because the log may no longer hold what its reader has seen.
 */
export interface FeedSource {
  /** The current end of the log for readers: nothing before it can still appear, and new events stand after it. */
  end(): Promise<Position>;
  /** The events after a position. */
  read(after: Position, limit: number): Promise<FeedPage>;
  /** The events after a position that concern one user, with scope `all` also those of the parts shared with the user. */
  readUser(userId: string, after: Position, limit: number, scope?: FeedScope): Promise<FeedPage>;
  /** Those of the users who read some of the shared parts now. Absent when nothing is shared. */
  membersOf?(partIds: readonly string[], userIds: readonly string[]): Promise<Membership[]>;
}

/**
 * The event log of a service as a FeedSource. `memberships` is SQL that selects user_id, part_id, join_transaction and
 * join_incarnation (`log_incarnation()`) of all who read a shared part of the log. The audience of an event names the
 * part once, however many read it. Who reads it is decided in the snapshot in which the event is read.
 */
export function createLogSource(reader: SqlReader, memberships?: string): FeedSource {
  const feeds = memberships === undefined ? undefined : statementsOf(memberships);
  return {
    end: () => currentPosition(reader),
    read: (after, limit) => readPage(reader, readAll, after, [limit]),
    readUser: (userId, after, limit, scope = 'own') =>
      readPage(reader, feeds?.[scope] ?? readConcerning, after, [limit, userId]),
    ...(feeds && {
      membersOf: (partIds, userIds) => reader.query<Membership>(feeds.members, [partIds, userIds]),
    }),
  };
}

/**
 * Everything below xmin is decided. The end is the last event there and not xmin itself: a crash forgets transactions
 * that left nothing durable, and their ids are assigned again. A position beyond them would skip the events of their
 * successors.
 */
export const logEnd = `
  log_end as materialized (
    select coalesce("end".transaction_id, '0'::xid8) as "endTransactionId", coalesce("end".event_id, 0) as "endEventId"
    from log left join lateral (
      select transaction_id, event_id from (
        (select transaction_id, id as event_id from events
          where transaction_id >= first_transaction and transaction_id < settled_below and id >= first_id
          order by transaction_id desc, id desc limit 1)
        union all select transaction_id, event_id from event_horizon where id = 1 and event_id >= first_id) known
      order by transaction_id desc, event_id desc limit 1) "end" on true)`;

/* $1 to $3: a position, $4: limit, $5: user. */
const read = (name: string, events: string, extra = ''): Statement => ({
  name,
  text: `
    with ${currentLog}, ${positionPlace}, ${logEnd}
    select ${placeColumns}, "endTransactionId", "endEventId", current as incarnation, e.*${extra}
    from log cross join place cross join log_end left join lateral (select ${eventColumns} from ${events}) e on true
    order by "transactionId", "eventId"`,
});

/* The places in one part of the log after the position, in their order. */
const placesIn = (part: string, after = ''): string => `
  select transaction_id, event_id from event_audience
  where user_id = ${part} and (transaction_id, event_id) > ($2::xid8, $3::bigint)
    and transaction_id >= first_transaction and transaction_id < settled_below and event_id >= first_id ${after}
  order by transaction_id, event_id limit $4`;

const readAll = read(
  'read_feed',
  `(
  select * from events
  where (transaction_id, id) > ($2::xid8, $3::bigint) and id >= first_id
    and transaction_id >= first_transaction and transaction_id < settled_below
  order by transaction_id, id limit $4) e`,
);

const ownEvents = `(${placesIn('$5')}) page join events e on e.id = page.event_id`;
const readConcerning = read('read_feed_concerning', ownEvents);

/** Each part is read by its own index range, up to a page of it; the ranges are merged, and an event of several counts once. */
function statementsOf(memberships: string): Record<FeedScope | 'members', Statement> {
  const parts = `, (
    select json_object_agg(part_id, json_build_array(join_incarnation::text, join_transaction::text))
    from (${memberships}) m where user_id = $5) as parts`;
  const allEvents = `(
    select transaction_id, event_id from (
      (${placesIn('$5')})
      union
      select found.* from (${memberships}) m cross join lateral (${placesIn(
        'm.part_id',
        `and transaction_id > case when m.join_incarnation = current then m.join_transaction else '0' end`,
      )}) found
      where m.user_id = $5) merged
    order by transaction_id, event_id limit $4) page
    join events e on e.id = page.event_id`;
  return {
    own: read('read_feed_own', ownEvents, parts),
    all: read('read_feed_shared', allEvents, parts),
    members: {
      name: 'feed_members',
      text: `
        select user_id as "userId", part_id as "partId", join_incarnation as incarnation, join_transaction as "transactionId"
        from (${memberships}) m where part_id = any ($1::uuid[]) and user_id = any ($2::uuid[])`,
    },
  };
}

interface End extends LogRow {
  endTransactionId: bigint;
  endEventId: bigint;
}

type FeedRow = End & PlaceRow & Nullable<EventRow> & { parts?: StoredParts | null };

const toPosition = (end: End | undefined): Position => ({
  incarnation: end?.current ?? 0n,
  transactionId: end?.endTransactionId ?? 0n,
  eventId: end?.endEventId ?? 0n,
});

/**
 * Like pullEvents within the current incarnation, but `next` follows the end of the log even when nothing was found.
 */
async function readPage(
  reader: SqlReader,
  statement: Statement,
  after: Position,
  rest: [limit: number, userId?: string],
): Promise<FeedPage> {
  const [limit] = rest;
  const rows = await readLog<FeedRow>(reader, statement, [...toParameters(after), ...rest]);
  const faults = await judgePosition(reader, after, rows[0]);
  if (faults.unknown || rows[0]?.place !== rows[0]?.current)
    return { events: [], next: after, more: false, pruned: false, unknown: true };
  // Without events there is still one row, with the end of the log.
  const events = rows.filter((row) => row.eventId !== null).map((row) => toEvent(row as EventRow));
  const more = events.length === limit;
  const last = events.at(-1)?.position;
  const next = more && last !== undefined ? last : toPosition(rows[0]);
  return { events, next, more, parts: toParts(rows[0]?.parts ?? {}), ...faults };
}

/** The events that concern a user. The cost depends on what is found, not on the length of the log. */
export function readUserFeed(reader: SqlReader, userId: string, after: Position, limit: number): Promise<FeedPage> {
  return readPage(reader, readConcerning, after, [limit, userId]);
}

const readEnd = {
  name: 'feed_end',
  text: `
    with ${currentLog}, ${logEnd}
    select current, newest, "endTransactionId", "endEventId" from log cross join log_end`,
};

/** The current end of the log for readers: nothing before it can still appear, and new events stand after it. */
export async function currentPosition(reader: SqlReader): Promise<Position> {
  const [row] = await readLog<End>(reader, readEnd, []);
  return toPosition(row);
}

const userEvents = {
  name: 'read_user_events',
  text: `
    select ${incarnationOf('e.id')} as incarnation, ${eventColumns}
    from (
      select transaction_id, event_id from event_audience
      where user_id = $1 and (transaction_id, event_id) > ($2::xid8, $3::bigint)
      order by transaction_id, event_id limit $4) page
    join events e on e.id = page.event_id
    order by e.transaction_id, e.id`,
};

/**
 * All events that concern a user, of all incarnations, as the reader sees them. Only for a snapshot: elsewhere events
 * of transactions that are still running would be skipped.
 */
export async function readUserEvents(
  reader: SqlReader,
  userId: string,
  after: Pick<Position, 'transactionId' | 'eventId'> | undefined,
  limit: number,
): Promise<StoredEvent[]> {
  const { transactionId, eventId } = after ?? { transactionId: 0n, eventId: 0n };
  const place = [String(transactionId), String(eventId)];
  return (await reader.query<EventRow>(userEvents, [userId, ...place, limit])).map(toEvent);
}

const readSubject = {
  name: 'read_history',
  text: `
    select ${incarnationOf('e.id')} as incarnation, ${eventColumns}
    from events e where subject_id = $1 and id > $2 order by id limit $3`,
};

/**
 * The events of one subject, oldest first. Its writers take turns, so its event ids are in the order of the changes.
 */
export async function readHistory(
  reader: SqlReader,
  subjectId: string,
  afterEventId: bigint,
  limit: number,
): Promise<{ events: StoredEvent[]; more: boolean }> {
  const rows = await reader.query<EventRow>(readSubject, [subjectId, String(afterEventId), limit + 1]);
  return { events: rows.slice(0, limit).map(toEvent), more: rows.length > limit };
}
