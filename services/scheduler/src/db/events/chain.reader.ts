import { pickColumns, type RowOf, type SqlReader, type Statement } from '#libs/db';
import type { ChainReader } from '../../domain/events/chain.reader.ts';
import type { SweepFacts } from '../../domain/events/overdue-explanation.ts';
import { taskEventsCursor } from '../../domain/events/task-events-cursor.ts';
import { deliveryTable, notificationTable } from '../../domain/notifications/notification.columns.ts';
import { scheduleTable } from '../../domain/schedules/schedule.columns.ts';

const deadLetterEvents: Statement = {
  name: 'dead_letter_events',
  text: `
    select event_id as "eventId", event, error, create_time as "deadLetterTime" from parked_events
    where cursor_name = $1 and event_id > $2 order by event_id limit $3`,
};

/** A cursor that an earlier release moved last has no incarnation: it is taken for that of the event. */
const progress: Statement = {
  name: 'cursor_progress',
  text: `
    select coalesce((case when c.incarnation = 0 then $4 else c.incarnation end, c.transaction_id, c.event_id)
        >= ($4::bigint, $2::xid8, $3::bigint), false) as pulled,
      greatest(0, extract(epoch from clock_timestamp() - c.update_time) * 1000)::float8 as "idleMs",
      exists (
        select 1 from parked_events where cursor_name = $1 and transaction_id = $2::xid8 and event_id = $3::bigint) as "deadLettered"
    from (select 1) one left join event_cursors c on c.name = $1`,
};
type ProgressRow = { pulled: boolean; idleMs: number | null; deadLettered: boolean };

const recordedTable = pickColumns(
  notificationTable,
  'id',
  'recipientId',
  'state',
  'jobId',
  'createTime',
  'deliverTime',
);
const recorded: Statement = {
  name: 'notifications_of_event',
  text: `
    select ${recordedTable.select()}, case when isfinite(deliver_after) then deliver_after end as until,
      deliver_after <= now() as "isOver"
    from notifications where event_id = $1 order by recipient_id`,
};
type RecordedRow = RowOf<typeof recordedTable.columns> & { until: Date | null; isOver: boolean };

const deliveries: Statement = {
  name: 'deliveries_of_notifications',
  text: `
    select ${deliveryTable.select()} from deliveries
    where notification_id = any ($1::uuid[]) order by notification_id, channel`,
};

const sweepTable = pickColumns(scheduleTable, 'lastRunTime', 'lastResult', 'lastRunFailed', 'paused');
const sweep: Statement = {
  name: 'schedule_of_sweep',
  text: `select ${sweepTable.select()} from schedules where id = $1`,
};
const neverRun: SweepFacts = { lastRunTime: undefined, lastResult: '', lastRunFailed: false, paused: false };

export function createChainReader(reader: SqlReader): ChainReader {
  return {
    deadLetterEvents: (afterEventId, limit) =>
      reader.query(deadLetterEvents, [taskEventsCursor, String(afterEventId), limit]),
    progress: async ({ incarnation, transactionId, eventId }) => {
      const parameters = [taskEventsCursor, String(transactionId), String(eventId), String(incarnation)];
      const [row] = await reader.query<ProgressRow>(progress, parameters);
      return { pulled: false, deadLettered: false, ...row, idleMs: row?.idleMs ?? undefined };
    },
    notificationsOf: async (eventId) => {
      const rows = await reader.query<RecordedRow>(recorded, [String(eventId)]);
      const notifications = rows.map(({ until, isOver, ...row }) => ({
        ...recordedTable.toValues(row),
        delay: { until: until ?? undefined, isOver },
      }));
      const ids = notifications.map(({ id }) => id);
      const found = await reader.query<RowOf<typeof deliveryTable.columns>>(deliveries, [ids]);
      const byNotification = Map.groupBy(found.map(deliveryTable.toValues), ({ notificationId }) => notificationId);
      return notifications.map((each) => ({ ...each, deliveries: byNotification.get(each.id) ?? [] }));
    },
    sweep: async (scheduleId) => {
      const [row] = await reader.query<RowOf<typeof sweepTable.columns>>(sweep, [scheduleId]);
      if (row === undefined) return neverRun;
      const { lastRunTime, ...facts } = sweepTable.toValues(row);
      return { ...facts, lastRunTime: lastRunTime ?? undefined };
    },
  };
}
