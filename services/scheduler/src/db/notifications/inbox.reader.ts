import { notificationKindToNumber, type Notification } from '#contract/scheduler/v1/notifications';
import type { RowOf, SqlReader, Statement } from '#libs/db';
import type { InboxFilter, InboxPage, InboxPosition, InboxReader } from '../../domain/notifications/inbox.reader.ts';
import { notificationTable, toMessage } from '../../domain/notifications/notification.columns.ts';

/** Of notifications n. */
export const notificationColumns = notificationTable.select('n');
export type NotificationRow = RowOf<typeof notificationTable.columns>;

export function toNotification(row: NotificationRow): Notification {
  return toMessage(notificationTable.toValues(row));
}

/* $1 recipient, $2 limit, $3 kinds or null, then the position. One statement for each shape, so that each has its index. */
function pageStatement(unreadOnly: boolean, isNext: boolean): Statement {
  const unread = unreadOnly ? 'and n.read_time is null' : '';
  const behind = isNext ? 'and (n.deliver_time, n.id) < ($4::timestamptz, $5::uuid)' : '';
  return {
    name: `inbox${unreadOnly ? '_unread' : ''}${isNext ? '_next' : ''}`,
    text: `
      select ${notificationColumns} from notifications n
      where n.recipient_id = $1 and n.state = 'delivered' and n.in_inbox ${unread} ${behind}
        and ($3::smallint[] is null or case when n.digest_size > 0 then 4 else n.kind end = any ($3))
      order by n.deliver_time desc, n.id desc limit $2`,
  };
}

const digestPage: Statement = {
  name: 'inbox_digest',
  text: `
    select ${notificationColumns}, d.read_time as "digestReadTime" from notifications n join notifications d on d.id = n.digest_id
    where n.digest_id = $2 and n.recipient_id = $1 and n.state = 'delivered' and n.id > $4::uuid order by n.id limit $3`,
};
type MemberRow = NotificationRow & { digestReadTime: Date | null };

/** Members of a digest keep their own kind, and are read when the digest is. */
function toMember(row: MemberRow): Notification {
  return toMessage({ ...notificationTable.toValues(row), digestTaskCount: 0, readTime: row.digestReadTime });
}

const unreadCount: Statement = {
  name: 'inbox_unread_count',
  text: `
    select count(*)::int as unread from (
      select 1 from notifications where recipient_id = $1 and state = 'delivered' and in_inbox and read_time is null limit $2) bounded`,
};

const zeroId = '00000000-0000-0000-0000-000000000000';

/** One notification more than the limit shows that another page follows. */
function toPage(notifications: Notification[], limit: number): InboxPage {
  const page = notifications.slice(0, limit);
  const last = notifications.length > limit ? page.at(-1) : undefined;
  return { notifications: page, next: last && { deliverTime: last.deliverTime?.toISOString() ?? '', id: last.id } };
}

export function createInboxReader(reader: SqlReader): InboxReader {
  const readPage = (
    recipientId: string,
    { unreadOnly, kinds }: InboxFilter,
    after: InboxPosition | undefined,
    limit: number,
  ) => {
    const parameters = [
      recipientId,
      limit,
      kinds.length === 0 ? null : kinds.map(notificationKindToNumber),
      ...(after === undefined ? [] : [after.deliverTime, after.id]),
    ];
    return reader.query<NotificationRow>(pageStatement(unreadOnly, after !== undefined), parameters);
  };
  return {
    page: async (recipientId, filter, after, limit) =>
      toPage((await readPage(recipientId, filter, after, limit + 1)).map(toNotification), limit),
    digest: async (recipientId, digestId, after, limit) => {
      const parameters = [recipientId, digestId, limit + 1, after?.id ?? zeroId];
      return toPage((await reader.query<MemberRow>(digestPage, parameters)).map(toMember), limit);
    },
    unread: async (recipientId, max) =>
      (await reader.query<{ unread: number }>(unreadCount, [recipientId, max]))[0]?.unread ?? 0,
  };
}
