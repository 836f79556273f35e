import { pickColumns, type RowOf, type SqlReader, type Statement } from '#libs/db';
import { notificationTable } from '../../domain/notifications/notification.columns.ts';
import type { PendingReader } from '../../domain/notifications/pending.reader.ts';

const pendingTable = pickColumns(
  notificationTable,
  'id',
  'kind',
  'recipientId',
  'taskId',
  'dueVersion',
  'status',
  'commentId',
);

// With the earlier changes of the same task, whichever job they were given to: they are delivered first. Being overdue is no
// change, and may wait for its recipient's hour.
const pending: Statement = {
  name: 'pending_notifications',
  text: `
    select ${pendingTable.select()} from notifications where id = any ($1::uuid[]) and state = 'pending'
    union
    select ${pendingTable.select('e')}
    from notifications n join notifications e on e.recipient_id = n.recipient_id and e.task_id = n.task_id and e.event_id < n.event_id
    where n.id = any ($1::uuid[]) and n.state = 'pending' and e.state = 'pending' and (e.kind <> 1 or e.deliver_after <= now())`,
};

// Bounded, since it is read every few seconds; an exact number beyond the bound has no use.
const counts: Statement = {
  name: 'waiting_counts',
  text: `
    select (select count(*) from (select 1 from notifications where state = 'pending' limit 100000) as bounded) as pending,
           (select count(*) from (select 1 from dead_letters where state = 'open' limit 100000) as bounded) as dead_letters`,
};

export function createPendingReader(reader: SqlReader): PendingReader {
  return {
    pending: async (ids) =>
      (await reader.query<RowOf<typeof pendingTable.columns>>(pending, [ids])).map(pendingTable.toValues),
    counts: async () => {
      const [row] = await reader.query<{ pending: bigint; dead_letters: bigint }>(counts, []);
      return { pending: Number(row?.pending ?? 0), deadLetters: Number(row?.dead_letters ?? 0) };
    },
  };
}
