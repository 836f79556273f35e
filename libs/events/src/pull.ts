import type { SqlReader } from '#libs/db';
import { currentLog, readLog, renewIncarnation, type LogRow } from './incarnation.ts';
import { isBefore, toParameters, type Position } from './position.ts';

export interface StoredEvent {
  position: Position;
  streamId: string;
  /** 1, 2, 3 … within the stream, without gaps except where a new incarnation of the log begins. */
  sequence: bigint;
  /** Its place in the stream that the subject left. */
  other?: { streamId: string; sequence: bigint };
  type: string;
  subjectId: string;
  subjectVersion: bigint;
  actor: string;
  callId: string;
  traceParent: string;
  payload: Uint8Array;
  createTime: Date;
}

/** What is wrong with the position of a request. */
export interface PositionFaults {
  /** Events after it have been pruned: something is missing. */
  pruned: boolean;
  /** The log does not have it: a restore has dropped the life of the database that it comes from. */
  unknown: boolean;
}

export interface EventBatch extends PositionFaults {
  /** Those that concern others than their actors. */
  events: StoredEvent[];
  /** Where to continue: the position of the last event that was looked at; `after` when there was none. */
  next: Position | undefined;
  /** There may be more: the page is full, in events or in bytes, or its incarnation ends with it. */
  more: boolean;
}

export type EventRow = Omit<StoredEvent, 'position' | 'other'> &
  Position & { otherStreamId: string | null; otherSequence: bigint | null };
export type Nullable<T> = { [K in keyof T]: T[K] | null };

/** Where a position was found, beside the state of the log. */
export interface PlaceRow extends LogRow {
  /** The incarnation of the position; null when it does not exist. */
  place: bigint | null;
  /** The incarnation that follows it. */
  following: bigint | null;
  /** Whether the event of the position exists. */
  found: boolean;
  prunedIncarnation: bigint | null;
  prunedTransactionId: bigint;
  prunedEventId: bigint;
}

/** An event that concerns others, or the last that was looked at. */
type FoundRow = EventRow & { concernsOthers: boolean; examined: number };
type PulledRow = PlaceRow & Nullable<FoundRow>;

/** A page ends where its payloads reach this size, so that it always fits into one message. */
const maxPageBytes = 8_388_608;

/** SQL for the incarnation of an event. */
export const incarnationOf = (eventId: string): string => `coalesce(
  (select max(ordinal) from log_incarnations where ordinal <= ${eventId}),
  (select min(ordinal) from log_incarnations))`;

/**
 * The one row of `place`. $1: incarnation, $2: transaction, $3: event of a position. A position is that of an event, or
 * has event 0 at the beginning of an incarnation. It is known when its event exists or was pruned. A position from
 * before incarnations has 0 for its own; its event shows the right one.
 */
export const positionPlace = `
  place as materialized (
    select i.ordinal as place, f.ordinal as following,
      case when exists (select from log_incarnations l where l.ordinal < i.ordinal)
        then i.ordinal else 0 end as from_id,
      coalesce(f.ordinal, 9223372036854775807) as before_id, i.transaction_id as from_transaction,
      $3::bigint = 0 or exists (select from events where id = $3 and transaction_id = $2::xid8) as found,
      ${incarnationOf('h.event_id')} as "prunedIncarnation",
      h.transaction_id as "prunedTransactionId", h.event_id as "prunedEventId"
    from event_horizon h
    left join log_incarnations i on i.ordinal = case when $1::bigint > 0 then $1 else ${incarnationOf('$3')} end
    left join lateral (select min(ordinal) as ordinal from log_incarnations l where l.ordinal > i.ordinal) f on true
    where h.id = 1)`;

export const placeColumns = `
  current, newest, place, following, found, "prunedIncarnation", "prunedTransactionId", "prunedEventId"`;

export const eventColumns = `
  e.transaction_id as "transactionId", e.id as "eventId", e.stream_id as "streamId", e.sequence,
  e.other_stream_id as "otherStreamId", e.other_sequence as "otherSequence", e.type,
  e.subject_id as "subjectId", e.subject_version as "subjectVersion", e.actor, e.call_id as "callId",
  e.trace_parent as "traceParent", e.payload, e.create_time as "createTime"`;

/**
 * In the current incarnation everything below the oldest running transaction is settled; in older ones everything is.
 * It looks at up to $4 events and returns those that concern others, and those in the streams of $5; null = in all. The
 * last one is returned in any case, because its position is where the next page begins. `examined`: how many it looked at.
 */
const pullStatement = {
  name: 'pull_events',
  text: `
    with ${currentLog}, ${positionPlace}
    select ${placeColumns}, place as incarnation, e.*
    from log cross join place left join lateral (
      select ${eventColumns}, concerns as "concernsOthers", examined
      from (
        select *, count(*) over ()::int as examined, lead(id) over (order by transaction_id, id) is null as is_last
        from (
          select *, sum(size) over (order by transaction_id, id) - size as bytes_before
          from (
            select *, case when concerns then octet_length(payload) else 0 end as size
            from (
              select *, concerns_others is not false or $5::uuid[] is null or stream_id = any ($5) as concerns
              from events) judged
            where (transaction_id, id) > ($2::xid8, $3::bigint) and id >= from_id and id < before_id
              and transaction_id >= case when from_id = 0 then '0' else from_transaction end
              and transaction_id < case when following is null then settled_below else '18446744073709551615' end
            order by transaction_id, id
            limit $4) page) sized
        where bytes_before < ${maxPageBytes}) e
      where concerns or is_last) e on true
    order by "transactionId", "eventId"`,
};

/**
 * Whose events are returned although they concern nobody but their actor: those in these streams, or all. Such an event
 * stands in its actor's stream.
 */
export type OwnEvents = readonly string[] | 'all';

/**
 * Events of all streams that concern others than their actors, after a position, one incarnation of the log after the
 * other. A page looks at up to `limit` events, so it may be empty although there are more. None is ever skipped: ids
 * are assigned before commits, so a page ends below the oldest running transaction. A long transaction anywhere in the
 * server, in any database, therefore delays readers; the deadlines of calls limit transactions here.
 */
export async function pullEvents(
  reader: SqlReader,
  after: Position | undefined,
  limit: number,
  own: OwnEvents = [],
): Promise<EventBatch> {
  const pull: PullPage = (from) =>
    readLog<PulledRow>(reader, pullStatement, [...toParameters(from), limit, own === 'all' ? null : own]);
  const first = await pull(after ?? startOf(0n));
  const faults = after === undefined ? { pruned: false, unknown: false } : await judgePosition(reader, after, first[0]);
  if (faults.unknown) return { events: [], next: after, more: false, ...faults };
  const rows = await skipFinished(pull, first);
  const found = rows.filter((row): row is PlaceRow & FoundRow => row.eventId !== null);
  const events = found.filter((row) => row.concernsOthers).map(toEvent);
  const bytes = events.reduce((sum, { payload }) => sum + payload.length, 0);
  const last = found.at(-1);
  const isFull = last?.examined === limit || bytes >= maxPageBytes;
  return {
    events,
    next: last === undefined ? after : toEvent(last).position,
    more: isFull || (last !== undefined && last.following !== null),
    ...faults,
  };
}

/** Skips incarnations without further events. */
async function skipFinished(pull: PullPage, rows: PulledRow[]): Promise<PulledRow[]> {
  const [row] = rows;
  if (row?.eventId !== null || row.following === null) return rows;
  return skipFinished(pull, await pull(startOf(row.following)));
}

type PullPage = (from: Position) => Promise<PulledRow[]>;

const startOf = (incarnation: bigint): Position => ({ incarnation, transactionId: 0n, eventId: 0n });

/**
 * Judges a position by the row that was read for it. When the current incarnation should have the position but does
 * not, the database was put back to an older state in place. Then another incarnation begins, so that no number is
 * assigned twice.
 */
export async function judgePosition(
  reader: SqlReader,
  position: Position,
  row: PlaceRow | undefined,
): Promise<PositionFaults> {
  if (row === undefined) throw new Error('the log has no horizon');
  if (row.place === null) {
    // Before the first event there is no incarnation either.
    const isStart = row.current === null && position.eventId === 0n;
    return { pruned: false, unknown: !isStart };
  }
  const known = { ...position, incarnation: row.place };
  const horizon = {
    incarnation: row.prunedIncarnation ?? 0n,
    transactionId: row.prunedTransactionId,
    eventId: row.prunedEventId,
  };
  if (row.found || !isBefore(horizon, known)) return { pruned: isBefore(known, horizon), unknown: false };
  if (row.place === row.current) await renewIncarnation(reader, row.place);
  return { pruned: false, unknown: true };
}

export function toEvent({
  incarnation,
  transactionId,
  eventId,
  otherStreamId,
  otherSequence,
  ...row
}: EventRow): StoredEvent {
  const { streamId, sequence, type, subjectId, subjectVersion, actor, callId, traceParent, payload, createTime } = row;
  const position = { incarnation, transactionId, eventId };
  const other =
    otherStreamId === null || otherSequence === null ? undefined : { streamId: otherStreamId, sequence: otherSequence };
  return {
    position,
    streamId,
    sequence,
    ...(other === undefined ? {} : { other }),
    type,
    subjectId,
    subjectVersion,
    actor,
    callId,
    traceParent,
    payload,
    createTime,
  };
}

/** A stream's last sequence number and its counters; 0 and none for a stream without events. */
export async function readCounters(
  reader: SqlReader,
  streamId: string,
): Promise<{ sequence: bigint; counters: bigint[] }> {
  const [head] = await reader.query<{ sequence: bigint; counters: bigint[] }>(headStatement, [streamId]);
  return head ?? { sequence: 0n, counters: [] };
}

const headStatement = {
  name: 'read_stream_head',
  text: 'select last_sequence as sequence, counters from event_stream_heads where stream_id = $1',
};
