import { Notification } from '#contract/scheduler/v1/notifications';
import type { SqlReader, Statement } from '#libs/db';
import {
  currentLog,
  readLog,
  renewIncarnation,
  type FeedPage,
  type FeedSource,
  type LogRow,
  type Position,
  type StoredEvent,
} from '#libs/events';
import { notificationTable, toMessage } from '../../domain/notifications/notification.columns.ts';
import { notificationColumns, type NotificationRow } from './inbox.reader.ts';

/*
 * The inboxes themselves are the log that WatchNotifications follows: each entry stands where it last changed, the
 * transaction first and then a number within it. Only entries older than every running transaction are read, since no earlier
 * entry can appear any more. An entry that changes again moves to the end, so a reader behind sees it once.
 */

/*
 * An entry belongs to the incarnation of the log in which it last changed. An entry without one was changed by a release that
 * did not know incarnations: it is sent in any, perhaps once too often, but at least once. The end is the last entry below
 * xmin, not xmin itself: as for the log of libs/events, a crash assigns numbers again.
 */
const inCurrent = (entry: string): string =>
  `(${entry}.feed_incarnation = current or ${entry}.feed_incarnation is null)`;
const feedEnd = `
  feed_end as materialized (
    select coalesce("end".feed_transaction, '0'::xid8) as end_transaction, coalesce("end".feed_number, 0) as end_number
    from log left join lateral (
      select feed_transaction, feed_number from notifications e
      where feed_transaction >= first_transaction and feed_transaction < settled_below and ${inCurrent('e')}
      order by feed_transaction desc, feed_number desc limit 1) "end" on true)`;

/* $1 to $3 a position, $4 limit, $5 recipient. */
const pageOf = (whose: string): string => `
  with ${currentLog}, ${feedEnd}
  select current, newest, end_transaction, end_number, $2::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) as ahead,
    coalesce(nullif($1::bigint, 0), (select min(ordinal) from log_incarnations)) as place, n.*
  from log cross join feed_end left join lateral (
    select n.feed_transaction, n.feed_number, ${notificationColumns} from notifications n
    where (n.feed_transaction, n.feed_number) > ($2::xid8, $3::bigint) and n.feed_transaction < settled_below and ${inCurrent('n')} ${whose}
    order by n.feed_transaction, n.feed_number limit $4) n on true
  order by feed_transaction, feed_number`;

const readAll: Statement = { name: 'notification_feed', text: pageOf('') };
const readOne: Statement = { name: 'notification_feed_of_user', text: pageOf('and n.recipient_id = $5') };
const readEnd: Statement = {
  name: 'notification_feed_end',
  text: `with ${currentLog}, ${feedEnd} select current, newest, end_transaction, end_number from log cross join feed_end`,
};

type FeedRow = NotificationRow & { feed_transaction: bigint; feed_number: number };
type End = LogRow & { end_transaction: bigint; end_number: number };
/** `ahead`: no transaction with the position's number has begun yet, so the position comes from a state that was lost. */
type PageRow = End & { ahead: boolean; place: bigint | null } & (FeedRow | { feed_transaction: null });

const toPosition = (end: End | undefined): Position => ({
  incarnation: end?.current ?? 0n,
  transactionId: end?.end_transaction ?? 0n,
  eventId: BigInt(end?.end_number ?? 0),
});

function toEvent(row: FeedRow & LogRow): StoredEvent {
  const values = notificationTable.toValues(row);
  return {
    position: { incarnation: row.current ?? 0n, transactionId: row.feed_transaction, eventId: BigInt(row.feed_number) },
    streamId: values.recipientId,
    sequence: 0n,
    type: 'notification',
    subjectId: values.id,
    subjectVersion: values.taskVersion,
    actor: values.actor,
    callId: '',
    traceParent: '',
    payload: Notification.encode(toMessage(values)).finish(),
    createTime: values.eventTime,
  };
}

function toPage(rows: PageRow[], limit: number): FeedPage {
  const events = rows.flatMap((row) => (row.feed_transaction === null ? [] : [toEvent(row)]));
  const more = events.length === limit;
  const last = events.at(-1)?.position;
  return { events, next: more && last !== undefined ? last : toPosition(rows[0]), more, pruned: false, unknown: false };
}

/** Nothing is missing behind a position: pruned notifications have left the inbox too. */
export function createNotificationSource(reader: SqlReader): FeedSource {
  const query = async (statement: Statement, after: Position, limit: number, ...rest: string[]): Promise<FeedPage> => {
    const { incarnation, transactionId, eventId } = after;
    const rows = await readLog<PageRow>(reader, statement, [
      String(incarnation),
      String(transactionId),
      String(eventId),
      limit,
      ...rest,
    ]);
    const { current, place, ahead } = rows[0] ?? { current: null, place: null, ahead: false };
    if (place === current && !ahead) return toPage(rows, limit);
    if (ahead && current !== null && place === current) await renewIncarnation(reader, current);
    return { events: [], next: after, more: false, pruned: false, unknown: true };
  };
  return {
    end: async () => toPosition((await readLog<End>(reader, readEnd, []))[0]),
    read: (after, limit) => query(readAll, after, limit),
    readUser: (userId, after, limit) => query(readOne, after, limit, userId),
  };
}
