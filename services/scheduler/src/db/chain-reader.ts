import type { SqlReader, Statement } from '#libs/db';
import type { ChainReader } from '../deps.ts';
import { taskEventsCursor } from '../domain/parked-event.ts';

const parked: Statement = {
  name: 'parked_events',
  text: `
    select transaction_id, event_id, event, error, create_time from parked_events
    where cursor_name = $1 and ($2::xid8 is null or (transaction_id, event_id) > ($2::xid8, $3::bigint))
    order by transaction_id, event_id limit $4`,
};

const progress: Statement = {
  name: 'cursor_progress',
  text: `
    select (c.transaction_id, c.event_id) >= ($2::xid8, $3::bigint) as pulled,
      greatest(0, extract(epoch from clock_timestamp() - c.update_time) * 1000)::float8 as idle_ms,
      exists (select 1 from parked_events where cursor_name = $1 and transaction_id = $2::xid8 and event_id = $3::bigint) as parked
    from (select 1) one left join event_cursors c on c.name = $1`,
};

const told: Statement = {
  name: 'notifications_of_event',
  text: `
    select id, recipient_id, state, job_id, create_time, deliver_time,
      case when isfinite(deliver_after) then deliver_after end as hold_until, deliver_after <= now() as hold_is_over from notifications
    where event_id = $1 order by recipient_id`,
};

const deliveries: Statement = {
  name: 'deliveries_of_notifications',
  text: `
    select notification_id, channel, outcome, attempts, error, create_time from deliveries
    where notification_id = any ($1::uuid[]) order by notification_id, channel`,
};

const sweep: Statement = { name: 'schedule_of_sweep', text: 'select last_run_time, last_result, last_run_failed, paused from schedules where id = $1' };

interface ToldRow {
  id: string;
  recipient_id: string;
  state: string;
  job_id: string | null;
  create_time: Date;
  deliver_time: Date | null;
  hold_until: Date | null;
  hold_is_over: boolean;
}

export function createChainReader(reader: SqlReader): ChainReader {
  return {
    parkedEvents: async (after, limit) => {
      const rows = await reader.query<{ transaction_id: bigint; event_id: bigint; event: Buffer; error: string; create_time: Date }>(parked, [
        taskEventsCursor,
        after === undefined ? null : String(after.transactionId),
        after === undefined ? null : String(after.eventId),
        limit,
      ]);
      return rows.map((row) => ({
        position: { transactionId: row.transaction_id, eventId: row.event_id },
        event: row.event,
        error: row.error,
        parkTime: row.create_time,
      }));
    },
    progress: async ({ transactionId, eventId }) => {
      const [row] = await reader.query<{ pulled: boolean | null; idle_ms: number | null; parked: boolean }>(progress, [
        taskEventsCursor,
        String(transactionId),
        String(eventId),
      ]);
      return { pulled: row?.pulled ?? false, idleMs: row?.idle_ms ?? undefined, parked: row?.parked ?? false };
    },
    notificationsOf: async (eventId) => {
      const rows = await reader.query<ToldRow>(told, [String(eventId)]);
      const all = await reader.query<{ notification_id: string; channel: string; outcome: string; attempts: number; error: string; create_time: Date }>(deliveries, [
        rows.map(({ id }) => id),
      ]);
      return rows.map((row) => ({
        id: row.id,
        recipientId: row.recipient_id,
        state: row.state,
        jobId: row.job_id ?? undefined,
        createTime: row.create_time,
        deliverTime: row.deliver_time ?? undefined,
        hold: { until: row.hold_until ?? undefined, isOver: row.hold_is_over },
        deliveries: all
          .filter((delivery) => delivery.notification_id === row.id)
          .map(({ channel, outcome, attempts, error, create_time: createTime }) => ({ channel, outcome, attempts, error, createTime })),
      }));
    },
    sweep: async (scheduleId) => {
      const [row] = await reader.query<{ last_run_time: Date | null; last_result: string; last_run_failed: boolean; paused: boolean }>(sweep, [scheduleId]);
      return {
        lastRunTime: row?.last_run_time ?? undefined,
        lastResult: row?.last_result ?? '',
        lastRunFailed: row?.last_run_failed ?? false,
        paused: row?.paused ?? false,
      };
    },
  };
}
