import type { SqlReader } from '#libs/db';
import { isBefore, toEvent, type Nullable, type Position, type StoredEvent } from './pull.ts';

/** A page of the log, and how far it reaches: `next` lies behind everything that was looked at, also when nothing was found. */
export interface FeedPage {
  events: StoredEvent[];
  next: Position;
  /** The page is full, so more may be there. */
  more: boolean;
}

/** A page of the events that concern one user. */
export interface UserFeedPage extends FeedPage {
  /** Events behind the position that was asked for have been pruned: something is missing. */
  pruned: boolean;
}

/** A log that can be followed: its events stand in an order that never changes. */
export interface FeedSource {
  /** Where the log ends now for readers: nothing before it will appear any more, and what comes later stands behind it. */
  end(): Promise<Position>;
  /** What stands behind a position. */
  read(after: Position, limit: number): Promise<FeedPage>;
  /** The same, of what concerns one user. */
  readUser(userId: string, after: Position, limit: number): Promise<UserFeedPage>;
}

/** The event log of a service as something to follow. */
export function createLogSource(reader: SqlReader): FeedSource {
  return {
    end: () => currentPosition(reader),
    read: (after, limit) => readFeed(reader, after, limit),
    readUser: (userId, after, limit) => readUserFeed(reader, userId, after, limit),
  };
}

const columns = `
  e.transaction_id as "transactionId", e.id as "eventId", e.stream_id as "streamId", e.sequence, e.type,
  e.subject_id as "subjectId", e.subject_version as "subjectVersion", e.actor, e.call_id as "callId",
  e.trace_parent as "traceParent", e.payload, e.create_time as "createTime"`;

/**
 * What is decided lies below xmin. The end is the last event there, not xmin itself: a crash forgets transactions that left
 * nothing durable, and their numbers are given out again; a position beyond them would skip the events of their successors.
 */
const decided = `(
  select decided.xmin, coalesce("end".transaction_id, '0'::xid8) as "endTransactionId", coalesce("end".event_id, 0) as "endEventId"
  from (select pg_snapshot_xmin(pg_current_snapshot()) as xmin) decided
  left join lateral (
    select transaction_id, event_id from (
      (select transaction_id, id as event_id from events where transaction_id < decided.xmin order by transaction_id desc, id desc limit 1)
      union all select transaction_id, event_id from event_horizon where id = 1) known
    order by transaction_id desc, event_id desc limit 1) "end" on true)`;

const readAll = {
  name: 'read_feed',
  text: `
    select "endTransactionId", "endEventId", e.*
    from ${decided} snapshot left join lateral (
      select ${columns} from events e
      where (transaction_id, id) > ($1::xid8, $2::bigint) and transaction_id < snapshot.xmin
      order by transaction_id, id limit $3) e on true
    order by "transactionId", "eventId"`,
};

const readConcerning = {
  name: 'read_feed_concerning',
  text: `
    select "endTransactionId", "endEventId", pruned."prunedTransactionId", pruned."prunedEventId", e.*
    from ${decided} snapshot
    left join (select transaction_id as "prunedTransactionId", event_id as "prunedEventId" from event_horizon where id = 1) pruned on true
    left join lateral (
      select ${columns}
      from (
        select transaction_id, event_id from event_audience
        where user_id = $4 and (transaction_id, event_id) > ($1::xid8, $2::bigint) and transaction_id < snapshot.xmin
        order by transaction_id, event_id limit $3) page
      join events e on e.id = page.event_id) e on true
    order by "transactionId", "eventId"`,
};

interface End {
  endTransactionId: bigint;
  endEventId: bigint;
}

const toPosition = (end: End | undefined): Position => ({ transactionId: end?.endTransactionId ?? 0n, eventId: end?.endEventId ?? 0n });

type FeedRow = End & Nullable<Omit<StoredEvent, 'position'> & Position>;
type UserFeedRow = FeedRow & Nullable<{ prunedTransactionId: bigint; prunedEventId: bigint }>;

function toPage(rows: FeedRow[], limit: number): FeedPage {
  // Without events there is one row all the same, which tells how far the log was looked at.
  const events = rows.filter((row) => row.eventId !== null).map((row) => toEvent(row as Omit<StoredEvent, 'position'> & Position));
  const more = events.length === limit;
  const last = events.at(-1)?.position;
  return { events, next: more && last !== undefined ? last : toPosition(rows[0]), more };
}

/** As pullEvents, but `next` moves on with the log even when nothing was found. */
export async function readFeed(reader: SqlReader, after: Position, limit: number): Promise<FeedPage> {
  return toPage(await reader.query<FeedRow>(readAll, [String(after.transactionId), String(after.eventId), limit]), limit);
}

/** The events that concern a user. Costs what it finds, however long the log is. */
export async function readUserFeed(reader: SqlReader, userId: string, after: Position, limit: number): Promise<UserFeedPage> {
  const rows = await reader.query<UserFeedRow>(readConcerning, [String(after.transactionId), String(after.eventId), limit, userId]);
  const [first] = rows;
  const prunedThrough = { transactionId: first?.prunedTransactionId ?? 0n, eventId: first?.prunedEventId ?? 0n };
  return { ...toPage(rows, limit), pruned: isBefore(after, prunedThrough) };
}

/** Where the log ends now for readers: nothing before it will appear any more, and what comes later stands behind it. */
export async function currentPosition(reader: SqlReader): Promise<Position> {
  const [row] = await reader.query<End>({ name: 'feed_end', text: `select "endTransactionId", "endEventId" from ${decided} snapshot` }, []);
  return toPosition(row);
}

const readSubject = {
  name: 'read_history',
  text: `select ${columns} from events e where subject_id = $1 and id > $2 order by id limit $3`,
};

/** What happened to one subject, in the order in which it happened: its writers take turns, and their numbers with them. */
export async function readHistory(reader: SqlReader, subjectId: string, afterEventId: bigint, limit: number): Promise<{ events: StoredEvent[]; more: boolean }> {
  const rows = await reader.query<Omit<StoredEvent, 'position'> & Position>(readSubject, [subjectId, String(afterEventId), limit + 1]);
  return { events: rows.slice(0, limit).map(toEvent), more: rows.length > limit };
}
