import { notificationKindFromJSON, notificationKindToNumber, type Notification } from '#contract/scheduler/v1/notifications';
import { taskStatusFromJSON } from '#contract/tasks/v1/tasks';
import type { SqlReader, Statement } from '#libs/db';
import type { InboxFilter, InboxPage, InboxPosition, InboxReader } from '../deps.ts';

/** A digest shows as one, whatever the notification that stands for it was. */
const kindColumn = 'case when n.digest_size > 0 then 4 else n.kind end';

/** What `toNotification` needs, of notifications n. */
export const notificationColumns = `
  n.id, ${kindColumn} as kind, n.task_id, n.task_title, n.due_time, n.previous_status, n.status, n.actor, n.event_time, n.deliver_time,
  n.read_time, n.task_version, n.digest_size, n.webhook_id`;

export interface NotificationRow {
  id: string;
  kind: number;
  task_id: string | null;
  task_title: string;
  due_time: Date | null;
  previous_status: number;
  status: number;
  actor: string;
  event_time: Date;
  deliver_time: Date | null;
  read_time: Date | null;
  task_version: bigint;
  digest_size: number;
  webhook_id: string | null;
}

export function toNotification(row: NotificationRow): Notification {
  return {
    id: row.id,
    kind: notificationKindFromJSON(row.kind),
    taskId: row.task_id ?? '',
    taskTitle: row.task_title,
    dueTime: row.due_time ?? undefined,
    previousStatus: taskStatusFromJSON(row.previous_status),
    status: taskStatusFromJSON(row.status),
    actor: row.actor,
    eventTime: row.event_time,
    deliverTime: row.deliver_time ?? undefined,
    readTime: row.read_time ?? undefined,
    taskVersion: row.task_version,
    digestSize: row.digest_size,
    webhookId: row.webhook_id ?? '',
  };
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
        and ($3::smallint[] is null or ${kindColumn} = any ($3))
      order by n.deliver_time desc, n.id desc limit $2`,
  };
}

/** Members of a digest are as they were found; they have been read when the digest has. */
const digestPage: Statement = {
  name: 'inbox_digest',
  text: `
    select ${notificationColumns.replace(kindColumn, 'n.kind').replace('n.read_time', 'd.read_time').replace('n.digest_size', '0 as digest_size')}
    from notifications n join notifications d on d.id = n.digest_id
    where n.digest_id = $2 and n.recipient_id = $1 and n.state = 'delivered' and n.id > $4::uuid order by n.id limit $3`,
};

const unreadCount: Statement = {
  name: 'inbox_unread_count',
  text: `
    select count(*)::int as unread from (
      select 1 from notifications where recipient_id = $1 and state = 'delivered' and in_inbox and read_time is null limit $2) bounded`,
};

const zeroId = '00000000-0000-0000-0000-000000000000';

function toPage(rows: NotificationRow[], limit: number): InboxPage {
  const page = rows.slice(0, limit).map(toNotification);
  const last = page.at(-1);
  const next = rows.length > limit && last !== undefined ? { deliverTime: last.deliverTime?.toISOString() ?? '', id: last.id } : undefined;
  return { notifications: page, next };
}

export function createInboxReader(reader: SqlReader): InboxReader {
  const readPage = (recipientId: string, { unreadOnly, kinds }: InboxFilter, after: InboxPosition | undefined, limit: number) => {
    const parameters = [recipientId, limit, kinds.length === 0 ? null : kinds.map(notificationKindToNumber), ...(after === undefined ? [] : [after.deliverTime, after.id])];
    return reader.query<NotificationRow>(pageStatement(unreadOnly, after !== undefined), parameters);
  };
  return {
    // One more than asked for tells whether another page follows.
    page: async (recipientId, filter, after, limit) => toPage(await readPage(recipientId, filter, after, limit + 1), limit),
    digest: async (recipientId, digestId, after, limit) =>
      toPage(await reader.query<NotificationRow>(digestPage, [recipientId, digestId, limit + 1, after?.id ?? zeroId]), limit),
    unread: async (recipientId, max) => (await reader.query<{ unread: number }>(unreadCount, [recipientId, max]))[0]?.unread ?? 0,
  };
}
