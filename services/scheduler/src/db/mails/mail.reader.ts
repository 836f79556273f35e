import { pickColumns, type RowOf, type SqlReader, type Statement } from '#libs/db';
import { mailTable } from '../../domain/mails/mail.columns.ts';
import type { MailReader } from '../../domain/mails/mail.reader.ts';
import { notificationTable } from '../../domain/notifications/notification.columns.ts';

const runningTable = pickColumns(mailTable, 'id', 'state', 'attempts', 'notificationId');
const running: Statement = {
  name: 'mail_running',
  text: `
    select ${runningTable.select()} from mails where id = $1 and job_id = $2 and state in ('pending', 'in-doubt')`,
};

const mailedTable = pickColumns(
  notificationTable,
  'id',
  'recipientId',
  'kind',
  'taskId',
  'taskTitle',
  'dueTime',
  'dueVersion',
  'previousStatus',
  'status',
  'actor',
  'digestTaskCount',
);
const mailed: Statement = {
  name: 'mailed_notification',
  text: `select ${mailedTable.select()} from notifications where id = $1 and state = 'delivered'`,
};

/** A mail that lists more is not read. */
const maxMembers = 20;
const memberTable = pickColumns(notificationTable, 'taskTitle', 'dueTime');
const members: Statement = {
  name: 'mailed_digest',
  text: `
    select ${memberTable.select()} from notifications where digest_id = $1 and state = 'delivered' and task_title <> '' order by id limit ${maxMembers}`,
};

export function createMailReader(reader: SqlReader): MailReader {
  return {
    running: async ({ mailId, jobId }) => {
      const [row] = await reader.query<RowOf<typeof runningTable.columns>>(running, [mailId, jobId]);
      return row && runningTable.toValues(row);
    },
    notification: async (id) => {
      const [row] = await reader.query<RowOf<typeof mailedTable.columns>>(mailed, [id]);
      if (row === undefined) return undefined;
      const notification = mailedTable.toValues(row);
      if (notification.digestTaskCount === 0) return { notification, members: [] };
      const rows = await reader.query<RowOf<typeof memberTable.columns>>(members, [id]);
      return { notification, members: rows.map(memberTable.toValues) };
    },
  };
}
