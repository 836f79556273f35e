import { afterCommit, runStatement, type CommonTable, type EntityManager, type Statement } from '#libs/db';
import { currentContext } from '#libs/runtime';
import { announce } from './announcement.ts';
import { concernsOthers } from './concern.ts';

/** The call that caused an event. */
export interface EventOrigin {
  /** Its request id; '' = none. */
  callId: string;
  /** W3C traceparent; '' = none. */
  traceParent: string;
}

/** An event to be recorded. */
export interface NewEvent {
  /** The stream whose sequence it continues. */
  streamId: string;
  /** Another stream whose sequence it continues as well: the one that the subject leaves. Not the same as `streamId`. */
  otherStreamId?: string | undefined;
  type: string;
  /** What it happened to, and the version that came out of it. */
  subjectId: string;
  subjectVersion: bigint;
  /** Who did it: a user's id as in `audience`, or anything else. */
  actor: string;
  /** The users whom it concerns; they find it in their part of the log. pullEvents leaves it out when all are the actor. */
  audience: readonly string[];
  payload: Uint8Array;
  /** Default: the call that records it. */
  origin?: EventOrigin;
}

/** The running call as the origin of events; without a call both are empty. */
export function currentOrigin(): EventOrigin {
  const { requestId = '', traceParent = '' } = currentContext() ?? {};
  return { callId: requestId, traceParent };
}

/** Adds `by` to one of a stream's counters. The caller knows what the counters mean. */
export interface CounterChange {
  streamId: string;
  index: number;
  by: number;
}

export interface EventLog {
  /**
   * Records events and counter changes in the current transaction, in one statement. Each stream's numbers are dense
   * and in commit order, because its head row stays locked until the transaction ends: call it once, as the last thing.
   * It flushes entities first and locks several heads in the order of their ids. The tables of `ctes` belong to
   * the same statement; all of them run before the heads are locked. A stream's numbers jump where a new incarnation of
   * the log begins, because a life of the database that was lost to a restore may have assigned the next ones already.
   */
  append(
    events: readonly NewEvent[],
    counters?: readonly CounterChange[],
    ctes?: readonly CommonTable[],
  ): Promise<void>;
}

export interface EventLogOptions {
  /** Its listeners are woken after the commit. */
  channel: string;
  /** Counters per stream. When it grows, heads are filled up with zeros. */
  counterCount: number;
}

export function createEventLog(em: EntityManager, { channel, counterCount }: EventLogOptions): EventLog {
  return {
    append: async (events, counters = [], ctes = []) => {
      if (events.length === 0 && counters.length === 0 && ctes.length === 0) return;
      await em.flush();
      const { values, ...statement } = appendStatement({ events, counters, counterCount, ctes });
      await runStatement(em, statement, values);
      if (events.length > 0) afterCommit(em, () => announce(em, channel, events.some(concernsOthers)));
    },
  };
}

/**
 * A prepared statement is planned for any number of rows. Many rows deserve a plan of their own, which joins by
 * hashing; up to 64, as many as a group of changes has, planning costs more than it saves.
 */
const maxPrepared = 64;

interface Appended {
  events: readonly NewEvent[];
  counters: readonly CounterChange[];
  counterCount: number;
  ctes?: readonly CommonTable[];
}

/** PostgreSQL keeps no more of the name of a prepared statement, and takes two that begin alike for one. */
const maxNameLength = 63;

/** '' = it is not prepared. */
function nameOf(events: readonly NewEvent[], ctes: readonly CommonTable[]): string {
  const name = ['append', ...ctes.map((table) => table.name)].join(' ');
  return events.length > maxPrepared || name.length > maxNameLength ? '' : name;
}

/** The statement that records events and counter changes; exported so that its cost can be measured alone. */
export function appendStatement({
  events,
  counters,
  counterCount,
  ctes = [],
}: Appended): Statement & { values: unknown[] } {
  const values = [
    ...toHeadColumns(events, counters, counterCount),
    ...toEventColumns(events),
    ...toAudienceColumns(events),
    events.map(concernsOthers),
    events.map(({ otherStreamId = null }) => otherStreamId),
    countFollowing(events).map(({ other }) => other),
  ];
  const add = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
  const tables = ctes.map(({ name, text }) => `${name} as (${text(add)}), `);
  // Counting a table's rows runs it before the heads are locked.
  const done = ctes.map(({ name }) => `(select count(*) from ${name}) >= 0`);
  return {
    name: nameOf(events, ctes),
    text: appendText(tables.join(''), done.length === 0 ? '' : `where ${done.join(' and ')}`),
    values,
  };
}

/**
 * base: the base of the streams' numbers in this incarnation of the log, read before any number is assigned.
 * heads: adds the number of new events and the counter changes; locks its rows in the order of the select.
 * back: how far an event stands before the new end of its stream; other_back: of the other one.
 */
const appendText = (tables: string, condition: string): string => `
  with ${tables}change as (
    select stream_id, events, counters::bigint[] as counters
    from unnest($1::uuid[], $2::bigint[], $3::text[]) as t (stream_id, events, counters)
    ${condition}
  ), log as materialized (
    select log_sequence_base() as base
  ), head as (
    insert into event_stream_heads as old (stream_id, last_sequence, counters)
    select stream_id, base + events, counters from change, log order by stream_id
    on conflict (stream_id) do update set
      last_sequence = greatest(old.last_sequence - (select base from log), 0) + excluded.last_sequence,
      counters = (
        select coalesce(array_agg(coalesce(was, 0) + coalesce(by, 0) order by place), '{}')
        from unnest(old.counters, excluded.counters) with ordinality as t (was, by, place)
      )
    returning stream_id, last_sequence
  ), event as (
    insert into events (
      stream_id, sequence, type, subject_id, subject_version, actor, payload, call_id, trace_parent, concerns_others,
      other_stream_id, other_sequence)
    select
      t.stream_id, head.last_sequence - back, type, subject_id, subject_version, actor, payload, call_id, trace_parent,
      concerns, other_stream_id, other_head.last_sequence - other_back
    from unnest(
      $4::uuid[], $5::bigint[], $6::text[], $7::uuid[], $8::bigint[], $9::text[], $10::bytea[], $11::text[], $12::text[],
      $16::boolean[], $17::uuid[], $18::bigint[]
    ) with ordinality as t (
      stream_id, back, type, subject_id, subject_version, actor, payload, call_id, trace_parent, concerns,
      other_stream_id, other_back, place)
    join head on head.stream_id = t.stream_id
    left join head other_head on other_head.stream_id = t.other_stream_id
    order by place
    returning id, transaction_id, stream_id, sequence
  )
  insert into event_audience (user_id, transaction_id, event_id)
  select user_id, event.transaction_id, event.id
  from unnest($13::uuid[], $14::uuid[], $15::bigint[]) as t (user_id, stream_id, back)
  join head using (stream_id)
  join event on event.stream_id = head.stream_id and event.sequence = last_sequence - back`;

function toHeadColumns(
  events: readonly NewEvent[],
  counters: readonly CounterChange[],
  counterCount: number,
): unknown[] {
  const heads = new Map<string, { events: number; counters: number[] }>();
  const headOf = (streamId: string): { events: number; counters: number[] } => {
    const head = heads.get(streamId) ?? { events: 0, counters: new Array<number>(counterCount).fill(0) };
    heads.set(streamId, head);
    return head;
  };
  for (const event of events) for (const streamId of streamsOf(event)) headOf(streamId).events += 1;
  for (const { streamId, index, by } of counters) {
    if (!Number.isInteger(index) || index < 0 || index >= counterCount)
      throw new RangeError(`there is no counter ${index}`);
    const head = headOf(streamId);
    head.counters[index] = (head.counters[index] ?? 0) + by;
  }
  return [
    [...heads.keys()],
    [...heads.values()].map((head) => head.events),
    [...heads.values()].map((head) => `{${head.counters.join(',')}}`),
  ];
}

const streamsOf = ({ streamId, otherStreamId }: NewEvent): string[] =>
  otherStreamId === undefined ? [streamId] : [streamId, otherStreamId];

/** For each event, how many of its stream follow it, and how many of the other one; null = there is no other one. */
function countFollowing(events: readonly NewEvent[]): { own: number; other: number | null }[] {
  const following = new Map<string, number>();
  const countIn = (streamId: string): number => {
    const count = following.get(streamId) ?? 0;
    following.set(streamId, count + 1);
    return count;
  };
  const back = events.toReversed().map(({ streamId, otherStreamId }) => ({
    own: countIn(streamId),
    other: otherStreamId === undefined ? null : countIn(otherStreamId),
  }));
  return back.toReversed();
}

function toAudienceColumns(events: readonly NewEvent[]): unknown[] {
  const back = countFollowing(events);
  const rows = events.flatMap(({ streamId, audience }, index) =>
    [...new Set(audience)].map((userId) => ({ userId, streamId, back: back[index]?.own })),
  );
  return [rows.map((row) => row.userId), rows.map((row) => row.streamId), rows.map((row) => row.back)];
}

function toEventColumns(events: readonly NewEvent[]): unknown[] {
  const current = currentOrigin();
  const origins = events.map(({ origin = current }) => origin);
  return [
    events.map((event) => event.streamId),
    countFollowing(events).map(({ own }) => own),
    events.map((event) => event.type),
    events.map((event) => event.subjectId),
    events.map((event) => event.subjectVersion),
    events.map((event) => event.actor),
    events.map((event) => Buffer.from(event.payload)),
    origins.map(({ callId }) => callId),
    origins.map(({ traceParent }) => traceParent),
  ];
}
