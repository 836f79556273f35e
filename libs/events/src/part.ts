import type { SqlReader, Statement } from '#libs/db';
import { logEnd } from './feed.ts';
import { currentLog, readLog } from './incarnation.ts';
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
  type StoredEvent,
} from './pull.ts';
import { isBefore, toParameters, type Position } from './position.ts';

/** A page of one part of the log, of all incarnations one after the other. */
export interface PartPage {
  /**
   * In the order of the changes: the events of the page, and earlier ones of the same subjects that stand behind it.
   * Whoever goes on from `next` gets these again when their turn comes.
   */
  events: StoredEvent[];
  /** Behind everything that was read, also when nothing was found. */
  next: Position;
  more: boolean;
  /** The log does not have the position, since its database was put back to an older state. Nothing was read. */
  restored: boolean;
}

type PartRow = PlaceRow & Nullable<EventRow> & { endTransactionId: bigint; endEventId: bigint };

/* $1 to $3: a position, $4: limit, $5: a user or a shared part. */
const partStatement: Statement = {
  name: 'read_part',
  text: `
    with ${currentLog}, ${positionPlace}, ${logEnd}
    select ${placeColumns}, "endTransactionId", "endEventId", place as incarnation, e.*
    from log cross join place cross join log_end left join lateral (
      select ${eventColumns} from (
        select transaction_id, event_id from event_audience
        where user_id = $5 and (transaction_id, event_id) > ($2::xid8, $3::bigint)
          and event_id >= from_id and event_id < before_id
          and transaction_id >= case when from_id = 0 then '0' else from_transaction end
          and transaction_id < case when following is null then settled_below else '18446744073709551615' end
        order by transaction_id, event_id limit $4) page
      join events e on e.id = page.event_id) e on true
    order by "transactionId", "eventId"`,
};

/** More changes of one subject than other transactions commit while one is running. */
const maxEarlier = 1_000;

/*
 * $1: subjects, $2: the last event of each, $3: incarnation, $4: the transaction and $5: the event where the page ends,
 * $6: the user or part.
 */
const earlierStatement: Statement = {
  name: 'read_earlier_of_part',
  text: `
    select $3::bigint as incarnation, ${eventColumns}
    from unnest($1::uuid[], $2::bigint[]) as s (subject_id, last_id) cross join lateral (
      select * from events before
      where before.subject_id = s.subject_id and before.id < s.last_id order by before.id desc limit ${maxEarlier}) e
    where (e.transaction_id, e.id) > ($4::xid8, $5::bigint) and ${incarnationOf('e.id')} = $3
      and exists (
        select from event_audience a
        where a.user_id = $6 and a.transaction_id = e.transaction_id and a.event_id = e.id)`,
};

/**
 * The events after a position that concern one user, or one shared part of the log. Transactions may stand in another
 * order than the changes of a subject, so the page is put into the order of event ids, which is that of the changes,
 * and completed with what comes before them.
 */
export async function readPart(reader: SqlReader, partId: string, after: Position, limit: number): Promise<PartPage> {
  const rows = await readLog<PartRow>(reader, partStatement, [...toParameters(after), limit, partId]);
  const [first] = rows;
  if (first === undefined) throw new Error('the log has no horizon');
  const { unknown } = await judgePosition(reader, after, first);
  if (unknown) return { events: [], next: after, more: false, restored: true };
  const page = rows.filter((row) => row.eventId !== null).map((row) => toEvent(row as PlaceRow & EventRow));
  const last = page.at(-1)?.position;
  const earlier = last === undefined ? [] : await readEarlier(reader, partId, page, last);
  const events = [...page, ...earlier].sort((a, b) => (a.position.eventId < b.position.eventId ? -1 : 1));
  return { events, restored: false, ...placeAfter(first, after, page.length === limit ? last : undefined) };
}

function placeAfter(row: PartRow, after: Position, fullAt: Position | undefined): Pick<PartPage, 'next' | 'more'> {
  if (fullAt !== undefined) return { next: fullAt, more: true };
  if (row.following !== null) return { next: startOf(row.following), more: true };
  const end = { incarnation: row.current ?? 0n, transactionId: row.endTransactionId, eventId: row.endEventId };
  return { next: isBefore(end, after) ? after : end, more: false };
}

const startOf = (incarnation: bigint): Position => ({ incarnation, transactionId: 0n, eventId: 0n });

async function readEarlier(
  reader: SqlReader,
  partId: string,
  page: readonly StoredEvent[],
  last: Position,
): Promise<StoredEvent[]> {
  const lastIds = new Map<string, bigint>();
  for (const { subjectId, position } of page)
    if (position.eventId > (lastIds.get(subjectId) ?? 0n)) lastIds.set(subjectId, position.eventId);
  const parameters = [[...lastIds.keys()], [...lastIds.values()].map(String), ...toParameters(last), partId];
  return (await reader.query<EventRow>(earlierStatement, parameters)).map(toEvent);
}

const beforeEvent: Statement = {
  name: 'log_position_before_event',
  text: `
    select place.ordinal as incarnation, coalesce(p.transaction_id, '0') as "transactionId", coalesce(p.id, 0) as "eventId"
    from events e
    cross join lateral (select ${incarnationOf('e.id')} as ordinal) place
    left join lateral (
      select before.transaction_id, before.id from events before
      where (before.transaction_id, before.id) < (e.transaction_id, e.id) and ${incarnationOf('before.id')} = place.ordinal
      order by before.transaction_id desc, before.id desc limit 1) p on true
    where e.id = $1 and e.transaction_id = $2::xid8`,
};

/** The position right before an event; undefined when the log does not have it. */
export async function positionBeforeEvent(
  reader: SqlReader,
  { transactionId, eventId }: Position,
): Promise<Position | undefined> {
  return (await reader.query<Position>(beforeEvent, [String(eventId), String(transactionId)]))[0];
}

/** Times of events are nearly in the order of their ids; no transaction runs as long as this. */
const margin = '60 seconds';

const beforeTime: Statement = {
  name: 'log_position_before',
  text: `
    with recursive search as (
      select 0::bigint as low, coalesce(max(id), 0) as high from events
      union all
      select case when probe.is_before then middle else low end, case when probe.is_before then high else middle end
      from (select *, low + (high - low) / 2 as middle from search where high - low > 1) s
      cross join lateral (
        select coalesce((select create_time < $1::timestamptz - interval '${margin}'
          from events where id > middle order by id limit 1), false) as is_before) probe)
    select ${incarnationOf('e.id')} as incarnation, e.transaction_id as "transactionId", e.id as "eventId"
    from events e
    where e.id > (select max(low) from search) and e.create_time < $1::timestamptz - interval '${margin}'
    order by e.id limit 1`,
};

/** A position before every event of a time and after; events from before it follow as well, up to a minute of them. */
export async function positionBefore(reader: SqlReader, time: Date): Promise<Position> {
  const [row] = await reader.query<Position>(beforeTime, [time]);
  return row ?? startOf(0n);
}
