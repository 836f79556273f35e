import type { Notification } from '#contract/scheduler/v1/notifications';
import { waitUntil } from '#dev/cluster';
import type { SchedulerCluster, TestUser } from './start-cluster.ts';

type Database = Pick<SchedulerCluster, 'sql'>;

/** The rows of a statement once there are that many. */
export function untilRows<Row>(service: Database, count: number, text: string, values?: unknown[]): Promise<Row[]> {
  return waitUntil(
    () => service.sql<Row>(text, values),
    (rows) => rows.length === count,
  );
}

/** Resolves once the run of a schedule has succeeded. */
export async function untilDone(service: Database, runId: string): Promise<void> {
  await untilRows(service, 1, `select 1 from schedule_runs where id = $1 and state = 'done'`, [runId]);
}

/** The inbox once it has that many notifications, or one that fits. */
export function untilInbox(
  { inbox }: Pick<SchedulerCluster, 'inbox'>,
  user: TestUser,
  wanted: number | ((notification: Notification) => boolean),
): Promise<Notification[]> {
  return waitUntil(
    () => inbox(user),
    (all) => (typeof wanted === 'number' ? all.length === wanted : all.some(wanted)),
  );
}
