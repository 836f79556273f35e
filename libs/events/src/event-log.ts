import { afterCommit, runStatement, type CommonTable, type EntityManager, type Statement } from '#libs/db';
import { currentContext } from '#libs/runtime';
import { announce } from './announcement.ts';

/** An event to be recorded. The call's id and trace come from the running call. */
export interface NewEvent {
  /** Whose sequence it continues. */
  streamId: string;
  type: string;
  /** What it happened to, and which version of it came out. */
  subjectId: string;
  subjectVersion: bigint;
  /** Who did it. */
  actor: string;
  /** The users whom it concerns: those who find it in their part of the log. */
  audience: readonly string[];
  payload: Uint8Array;
}

/** Adds `by` to one of a stream's counters; what the counters mean is the caller's. */
export interface CounterChange {
  streamId: string;
  index: number;
  by: number;
}

export interface EventLog {
  /**
   * Records events and counter changes in the current transaction, in one statement. Each stream's numbers are dense
   * and in commit order, because its head row is locked until the transaction ends: call it once, as the last thing.
   * Entities are flushed before, and several heads are locked in the order of their ids. What stands `alongside` is part
   * of the same statement; each table in its turn is done before the heads are locked.
   */
  append(events: readonly NewEvent[], counters?: readonly CounterChange[], alongside?: readonly CommonTable[]): Promise<void>;
}

export interface EventLogOptions {
  /** Readers that LISTEN on it are woken after the commit. */
  channel: string;
  /** How many counters a stream has. A larger number than before makes heads grow with zeros. */
  counterCount: number;
}

export function createEventLog(em: EntityManager, { channel, counterCount }: EventLogOptions): EventLog {
  return {
    append: async (events, counters = [], alongside = []) => {
      if (events.length === 0 && counters.length === 0 && alongside.length === 0) return;
      await em.flush();
      const { values, ...statement } = appendStatement({ events, counters, counterCount, alongside });
      await runStatement(em, statement, values);
      if (events.length > 0) afterCommit(em, () => announce(em, channel));
    },
  };
}

/** A prepared statement is planned for any number of rows; many rows are worth a plan of their own, which joins them by hashing. */
const maxPrepared = 20;

interface Appended {
  events: readonly NewEvent[];
  counters: readonly CounterChange[];
  counterCount: number;
  alongside?: readonly CommonTable[];
}

/** The statement that records events and counter changes, for whoever wants to know what it alone costs. */
export function appendStatement({ events, counters, counterCount, alongside = [] }: Appended): Statement & { values: unknown[] } {
  const values = [...toHeadColumns(events, counters, counterCount), ...toEventColumns(events), ...toAudienceColumns(events)];
  const add = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
  const tables = alongside.map(({ name, text }) => `${name} as (${text(add)}), `);
  // Asking each for its rows has it done before the heads are locked.
  const done = alongside.map(({ name }) => `(select count(*) from ${name}) >= 0`);
  const name = events.length > maxPrepared ? '' : ['append', ...alongside.map((table) => table.name)].join(' ');
  return { name, text: appendText(tables.join(''), done.length === 0 ? '' : `where ${done.join(' and ')}`), values };
}

/**
 * heads: adds the number of new events and the counter changes; its rows are locked in the order of the select.
 * `back` is how far an event stands before the new end of its stream.
 */
const appendText = (alongside: string, condition: string): string => `
  with ${alongside}change as (
    select stream_id, events, counters::bigint[] as counters
    from unnest($1::uuid[], $2::bigint[], $3::text[]) as t (stream_id, events, counters)
    ${condition}
  ), head as (
    insert into event_stream_heads as old (stream_id, last_sequence, counters)
    select stream_id, events, counters from change order by stream_id
    on conflict (stream_id) do update set
      last_sequence = old.last_sequence + excluded.last_sequence,
      counters = (
        select coalesce(array_agg(coalesce(was, 0) + coalesce(by, 0) order by place), '{}')
        from unnest(old.counters, excluded.counters) with ordinality as t (was, by, place)
      )
    returning stream_id, last_sequence
  ), event as (
    insert into events (stream_id, sequence, type, subject_id, subject_version, actor, payload, call_id, trace_parent)
    select stream_id, last_sequence - back, type, subject_id, subject_version, actor, payload, $11, $12
    from unnest($4::uuid[], $5::bigint[], $6::text[], $7::uuid[], $8::bigint[], $9::text[], $10::bytea[])
      with ordinality as t (stream_id, back, type, subject_id, subject_version, actor, payload, place)
    join head using (stream_id)
    order by place
    returning id, transaction_id, stream_id, sequence
  )
  insert into event_audience (user_id, transaction_id, event_id)
  select user_id, event.transaction_id, event.id
  from unnest($13::uuid[], $14::uuid[], $15::bigint[]) as t (user_id, stream_id, back)
  join head using (stream_id)
  join event on event.stream_id = head.stream_id and event.sequence = last_sequence - back`;

function toHeadColumns(events: readonly NewEvent[], counters: readonly CounterChange[], counterCount: number): unknown[] {
  const heads = new Map<string, { events: number; counters: number[] }>();
  const headOf = (streamId: string): { events: number; counters: number[] } => {
    const head = heads.get(streamId) ?? { events: 0, counters: new Array<number>(counterCount).fill(0) };
    heads.set(streamId, head);
    return head;
  };
  for (const event of events) headOf(event.streamId).events += 1;
  for (const { streamId, index, by } of counters) {
    if (!Number.isInteger(index) || index < 0 || index >= counterCount) throw new RangeError(`there is no counter ${index}`);
    const head = headOf(streamId);
    head.counters[index] = (head.counters[index] ?? 0) + by;
  }
  return [
    [...heads.keys()],
    [...heads.values()].map((head) => head.events),
    [...heads.values()].map((head) => `{${head.counters.join(',')}}`),
  ];
}

/** For each event, how many of its stream follow it. */
function countFollowing(events: readonly NewEvent[]): number[] {
  const following = new Map<string, number>();
  const back = events.toReversed().map(({ streamId }) => {
    const count = following.get(streamId) ?? 0;
    following.set(streamId, count + 1);
    return count;
  });
  return back.toReversed();
}

function toAudienceColumns(events: readonly NewEvent[]): unknown[] {
  const back = countFollowing(events);
  const rows = events.flatMap(({ streamId, audience }, index) => [...new Set(audience)].map((userId) => ({ userId, streamId, back: back[index] })));
  return [rows.map((row) => row.userId), rows.map((row) => row.streamId), rows.map((row) => row.back)];
}

function toEventColumns(events: readonly NewEvent[]): unknown[] {
  const call = currentContext();
  return [
    events.map((event) => event.streamId),
    countFollowing(events),
    events.map((event) => event.type),
    events.map((event) => event.subjectId),
    events.map((event) => event.subjectVersion),
    events.map((event) => event.actor),
    events.map((event) => Buffer.from(event.payload)),
    call?.callId ?? '',
    call?.traceParent ?? '',
  ];
}
