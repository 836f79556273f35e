import { randomUUID } from 'node:crypto';
import { DeadJobState } from '#contract/scheduler/v1/jobs';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskStatus } from '#contract/tasks/v1/tasks';
import { uuidv7, type Columns, type ColumnTable, type Stored } from '#libs/db';
import { deadLetterTable, type DeadLetterValues } from '../src/domain/jobs/dead-letter.columns.ts';
import {
  notificationTable,
  toPending,
  type NotificationValues,
} from '../src/domain/notifications/notification.columns.ts';
import { newRun, scheduleRunTable, type ScheduleRunValues } from '../src/domain/schedules/schedule.columns.ts';
import type { SchedulerCluster } from './start-cluster.ts';

/* Rows as the service writes them; `fields` has what a test is about. Each function returns the id. */

type Database = Pick<SchedulerCluster, 'sql'>;

async function add<C extends Columns>({ sql }: Database, table: ColumnTable<C>, row: Stored<C>): Promise<void> {
  const parameters: unknown[] = [];
  await sql(
    table.insert([row], (value, type) => `$${parameters.push(value)}::${type}`),
    parameters,
  );
}

export async function addNotification(service: Database, fields: Partial<NotificationValues> = {}): Promise<string> {
  const event = {
    id: uuidv7(),
    recipientId: randomUUID(),
    eventId: BigInt(Math.floor(Math.random() * 1e12)),
    kind: NotificationKind.OVERDUE,
    taskId: randomUUID(),
    taskTitle: 'title',
    dueTime: null,
    dueVersion: 1n,
    taskVersion: 1n,
    previousStatus: TaskStatus.UNSPECIFIED,
    status: TaskStatus.UNSPECIFIED,
    actor: 'service:scheduler',
    commentId: null,
    callId: '',
    traceParent: '',
    eventTime: new Date(),
    waitsForHour: false,
  };
  const row = { ...toPending(event, null, new Date()), ...fields };
  await add(service, notificationTable, row);
  return row.id;
}

/** A pending run, of a schedule that does not exist unless `fields` names one. */
export async function addRun(service: Database, fields: Partial<ScheduleRunValues> = {}): Promise<string> {
  const origin = { requesterId: null, callId: '', traceParent: '', now: new Date() };
  const row = { ...newRun({ id: uuidv7(), scheduleId: randomUUID() }, null, origin), ...fields };
  await add(service, scheduleRunTable, row);
  return row.id;
}

export async function addDeadLetter(service: Database, fields: Partial<DeadLetterValues> = {}): Promise<string> {
  const row = {
    id: uuidv7(),
    queue: 'notifications',
    name: 'some-job',
    jobId: randomUUID(),
    payload: {},
    error: 'Error',
    attemptCount: 1,
    requestId: '',
    createTime: new Date(),
    failures: [],
    state: DeadJobState.OPEN,
    resolveTime: null,
    resolverId: null,
    ...fields,
  };
  await add(service, deadLetterTable, row);
  return row.id;
}

/** An event of tasks that could not be handled. */
export async function addDeadLetterEvent(
  { sql }: Database,
  eventId: bigint,
  { event = Buffer.of(), createTime = new Date() }: { event?: Uint8Array; createTime?: Date } = {},
): Promise<void> {
  await sql(
    `insert into parked_events (cursor_name, transaction_id, event_id, event, error, create_time)
     values ('tasks', '7', $1, $2, 'TypeError', $3)`,
    [String(eventId), Buffer.from(event), createTime],
  );
}
