import type { SqlReader } from '#libs/db';

/** Where an event stands in the order in which transactions become visible for good. */
export interface Position {
  transactionId: bigint;
  eventId: bigint;
}

export function isBefore(a: Position, b: Position): boolean {
  return a.transactionId < b.transactionId || (a.transactionId === b.transactionId && a.eventId < b.eventId);
}

export interface StoredEvent {
  position: Position;
  streamId: string;
  /** 1, 2, 3 … within the stream, without gaps. */
  sequence: bigint;
  type: string;
  subjectId: string;
  subjectVersion: bigint;
  actor: string;
  callId: string;
  traceParent: string;
  payload: Uint8Array;
  createTime: Date;
}

export interface EventBatch {
  events: StoredEvent[];
  /** Where to go on; `after` when there was nothing. */
  next: Position | undefined;
  /** The page is full, in events or in bytes, so more may be there. */
  more: boolean;
  /** Events behind the position that was asked for have been pruned: something is missing. Never when none was asked for. */
  pruned: boolean;
}

type EventRow = Omit<StoredEvent, 'position'> & Position;
export type Nullable<T> = { [K in keyof T]: T[K] | null };
/** Without events there is one row all the same, which tells how far the log was pruned. */
type PulledRow = Nullable<EventRow> & { prunedTransactionId: bigint; prunedEventId: bigint };

/** A page ends where its payloads reach this, so that it fits into one message whatever the events hold. */
const maxPageBytes = 8_388_608;

/**
 * Events of all streams after a position. None is ever skipped: numbers are given out before commits, so what is read
 * ends below the oldest transaction that is still running. A long transaction anywhere in the server (also in another
 * database) therefore holds readers back; transactions here are limited by their calls' deadlines.
 */
export async function pullEvents(reader: SqlReader, after: Position | undefined, limit: number): Promise<EventBatch> {
  const from = after ?? beginning;
  const rows = await reader.query<PulledRow>(pullStatement, [String(from.transactionId), String(from.eventId), limit]);
  const events = rows.filter((row) => row.eventId !== null).map((row) => toEvent(row as EventRow));
  const pruned = after !== undefined && rows.some((row) => isBefore(after, prunedThrough(row)));
  const bytes = events.reduce((sum, { payload }) => sum + payload.length, 0);
  return { events, next: events.at(-1)?.position ?? after, more: events.length === limit || bytes >= maxPageBytes, pruned };
}

const beginning: Position = { transactionId: 0n, eventId: 0n };

function prunedThrough({ prunedTransactionId, prunedEventId }: PulledRow): Position {
  return { transactionId: prunedTransactionId, eventId: prunedEventId };
}

export function toEvent({ transactionId, eventId, streamId, sequence, type, ...row }: EventRow): StoredEvent {
  const { subjectId, subjectVersion, actor, callId, traceParent, payload, createTime } = row;
  return { position: { transactionId, eventId }, streamId, sequence, type, subjectId, subjectVersion, actor, callId, traceParent, payload, createTime };
}

const pullStatement = {
  name: 'pull_events',
  text: `
    select horizon.transaction_id as "prunedTransactionId", horizon.event_id as "prunedEventId", e.*
    from event_horizon horizon left join lateral (
      select transaction_id as "transactionId", id as "eventId", stream_id as "streamId", sequence, type,
        subject_id as "subjectId", subject_version as "subjectVersion", actor, call_id as "callId",
        trace_parent as "traceParent", payload, create_time as "createTime"
      from (
        select *, sum(octet_length(payload)) over (order by transaction_id, id) - octet_length(payload) as bytes_before
        from (
          select * from events
          where (transaction_id, id) > ($1::xid8, $2::bigint) and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
          order by transaction_id, id
          limit $3) page) sized
      where bytes_before < ${maxPageBytes}) e on true
    where horizon.id = 1
    order by "transactionId", "eventId"`,
};

/** A stream's last sequence number and its counters; zero and none for a stream without events. */
export async function readCounters(reader: SqlReader, streamId: string): Promise<{ sequence: bigint; counters: bigint[] }> {
  const [head] = await reader.query<{ sequence: bigint; counters: bigint[] }>(headStatement, [streamId]);
  return head ?? { sequence: 0n, counters: [] };
}

const headStatement = {
  name: 'read_stream_head',
  text: 'select last_sequence as sequence, counters from event_stream_heads where stream_id = $1',
};
