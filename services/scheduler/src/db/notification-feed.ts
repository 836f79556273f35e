import { Notification } from '#contract/scheduler/v1/notifications';
import type { SqlReader, Statement } from '#libs/db';
import type { FeedPage, FeedSource, Position, StoredEvent } from '#libs/events';
import { notificationColumns, toNotification, type NotificationRow } from './inbox.reader.ts';

/*
 * The inboxes themselves are the log that WatchNotifications follows: each entry stands where it last changed, the
 * transaction first and then a number within it. Only what is older than every running transaction is read, since what is
 * not there by then will never be. An entry that changes again moves to the end, so a reader behind sees it once.
 */

/** The end is the last entry below xmin, not xmin itself: as for the log of libs/events, a crash gives numbers out again. */
const decided = `(
  select decided.xmin, coalesce("end".feed_transaction, '0'::xid8) as end_transaction, coalesce("end".feed_number, 0) as end_number
  from (select pg_snapshot_xmin(pg_current_snapshot()) as xmin) decided
  left join lateral (
    select feed_transaction, feed_number from notifications where feed_transaction < decided.xmin
    order by feed_transaction desc, feed_number desc limit 1) "end" on true)`;

const pageOf = (whose: string): string => `
  select end_transaction, end_number, n.*
  from ${decided} snapshot left join lateral (
    select n.recipient_id, n.feed_transaction, n.feed_number, ${notificationColumns} from notifications n
    where (n.feed_transaction, n.feed_number) > ($1::xid8, $2::bigint) and n.feed_transaction < snapshot.xmin ${whose}
    order by n.feed_transaction, n.feed_number limit $3) n on true
  order by feed_transaction, feed_number`;

const readAll: Statement = { name: 'notification_feed', text: pageOf('') };
const readOne: Statement = { name: 'notification_feed_of_user', text: pageOf('and n.recipient_id = $4') };
const readEnd: Statement = { name: 'notification_feed_end', text: `select end_transaction, end_number from ${decided} snapshot` };

type FeedRow = NotificationRow & { recipient_id: string; feed_transaction: bigint; feed_number: number };
type End = { end_transaction: bigint; end_number: number };
type PageRow = End & (FeedRow | { feed_transaction: null });

const toPosition = (end: End | undefined): Position => ({ transactionId: end?.end_transaction ?? 0n, eventId: BigInt(end?.end_number ?? 0) });

function toEvent(row: FeedRow): StoredEvent {
  return {
    position: { transactionId: row.feed_transaction, eventId: BigInt(row.feed_number) },
    streamId: row.recipient_id,
    sequence: 0n,
    type: 'notification',
    subjectId: row.id,
    subjectVersion: row.task_version,
    actor: row.actor,
    callId: '',
    traceParent: '',
    payload: Notification.encode(toNotification(row)).finish(),
    createTime: row.event_time,
  };
}

function toPage(rows: PageRow[], limit: number): FeedPage {
  const events = rows.flatMap((row) => (row.feed_transaction === null ? [] : [toEvent(row)]));
  const more = events.length === limit;
  const last = events.at(-1)?.position;
  return { events, next: more && last !== undefined ? last : toPosition(rows[0]), more };
}

/** Nothing is ever missing behind a position: what was pruned has left the inbox too. */
export function createNotificationSource(reader: SqlReader): FeedSource {
  const query = async (statement: Statement, after: Position, limit: number, ...rest: string[]): Promise<FeedPage> => {
    const rows = await reader.query<PageRow>(statement, [String(after.transactionId), String(after.eventId), limit, ...rest]);
    return toPage(rows, limit);
  };
  return {
    end: async () => toPosition((await reader.query<End>(readEnd, []))[0]),
    read: (after, limit) => query(readAll, after, limit),
    readUser: async (userId, after, limit) => ({ ...(await query(readOne, after, limit, userId)), pruned: false }),
  };
}
