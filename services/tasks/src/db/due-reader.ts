import {
  TaskChange,
  taskStatusFromJSON,
  TaskEventType,
  type ExplainDueResponse,
  type TaskState,
} from '#contract/tasks/v1/tasks';
import type { SqlReader, Statement } from '#libs/db';

// A closed task has no due row, but the event of its due version remains, so the two are looked up separately.
const explain: Statement = {
  name: 'explain_due',
  text: `
    select t.id, t.status, t.version, t.due_version, t.owner_id, t.assignee_id, t.due_time,
      case when not due.set_aside then due.overdue_time end as overdue_time, now() as current_time,
      event.incarnation, event.transaction_id, event.id as event_id, event.create_time as event_time, event.payload
    from (select 1) one
    left join tasks t on t.id = $1::uuid and t.delete_time is null
    left join task_due due on due.task_id = t.id and due.due_version = t.due_version
    left join lateral (
      select coalesce((select max(ordinal) from log_incarnations where ordinal <= events.id), (select min(ordinal) from log_incarnations)) as incarnation,
        id, transaction_id, create_time, payload from events
      where subject_id = t.id and type = $2 order by id desc limit 1) event on true`,
};

export interface StateRow {
  id: string;
  status: number;
  version: bigint;
  due_version: bigint;
  owner_id: string;
  assignee_id: string | null;
}

interface Row extends Omit<StateRow, 'id'> {
  id: string | null;
  due_time: Date | null;
  overdue_time: Date | null;
  current_time: Date;
  incarnation: bigint | null;
  transaction_id: bigint | null;
  event_id: bigint | null;
  event_time: Date | null;
  payload: Buffer | null;
}

export function toState(row: StateRow): TaskState {
  return {
    taskId: row.id,
    status: taskStatusFromJSON(row.status),
    version: row.version,
    dueVersion: row.due_version,
    ownerId: row.owner_id,
    assigneeId: row.assignee_id ?? '',
  };
}

interface OverdueEvent {
  position: NonNullable<ExplainDueResponse['overduePosition']>;
  time: Date;
}

/** The overdue event of the current due version. Events of earlier versions are ignored. */
function toEvent({
  incarnation,
  transaction_id: transactionId,
  event_id: eventId,
  event_time: time,
  payload,
  due_version: dueVersion,
}: Row): OverdueEvent | undefined {
  if (transactionId === null || eventId === null || time === null || payload === null) return undefined;
  return TaskChange.decode(payload).dueVersion === dueVersion
    ? { position: { incarnation: incarnation ?? 0n, transactionId, eventId }, time }
    : undefined;
}

export async function explainDue(reader: SqlReader, taskId: string): Promise<ExplainDueResponse> {
  const [row] = await reader.query<Row>(explain, [taskId, TaskEventType.OVERDUE]);
  if (row === undefined) throw new Error('a row without a table is always there');
  const event = toEvent(row);
  return {
    state: row.id === null ? undefined : toState({ ...row, id: row.id }),
    dueTime: row.due_time ?? undefined,
    overdueTime: row.overdue_time ?? event?.time,
    overduePosition: event?.position,
    overdueEventTime: event?.time,
    currentTime: row.current_time,
  };
}
