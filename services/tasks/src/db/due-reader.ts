import { TaskChange, taskStatusFromJSON, TaskEventType, type ExplainDueResponse } from '#contract/tasks/v1/tasks';
import type { SqlReader, Statement } from '#libs/db';

// A closed task has no due row any more, but the event of its due version remains: it is looked for by itself.
const explain: Statement = {
  name: 'explain_due',
  text: `
    select t.id, t.status, t.version, t.due_version, t.owner_id, t.assignee_id, t.due_time, due.overdue_time, now() as current_time,
      event.transaction_id, event.id as event_id, event.create_time as event_time, event.payload
    from (select 1) one
    left join tasks t on t.id = $1::uuid and t.delete_time is null
    left join task_due due on due.task_id = t.id and due.due_version = t.due_version
    left join lateral (
      select id, transaction_id, create_time, payload from events
      where subject_id = t.id and type = $2 order by id desc limit 1) event on true`,
};

interface Row {
  id: string | null;
  status: number;
  version: bigint;
  due_version: bigint;
  owner_id: string;
  assignee_id: string | null;
  due_time: Date | null;
  overdue_time: Date | null;
  current_time: Date;
  transaction_id: bigint | null;
  event_id: bigint | null;
  event_time: Date | null;
  payload: Buffer | null;
}

function toState(row: Row): ExplainDueResponse['state'] {
  if (row.id === null) return undefined;
  const { id: taskId, version, due_version: dueVersion, owner_id: ownerId } = row;
  return { taskId, status: taskStatusFromJSON(row.status), version, dueVersion, ownerId, assigneeId: row.assignee_id ?? '' };
}

interface OverdueEvent {
  position: NonNullable<ExplainDueResponse['overduePosition']>;
  time: Date;
}

/** The event of the current due version; one of an earlier version says nothing about it. */
function toEvent({ transaction_id: transactionId, event_id: eventId, event_time: time, payload, due_version: dueVersion }: Row): OverdueEvent | undefined {
  if (transactionId === null || eventId === null || time === null || payload === null) return undefined;
  return TaskChange.decode(payload).dueVersion === dueVersion ? { position: { transactionId, eventId }, time } : undefined;
}

export async function explainDue(reader: SqlReader, taskId: string): Promise<ExplainDueResponse> {
  const [row] = await reader.query<Row>(explain, [taskId, TaskEventType.OVERDUE]);
  if (row === undefined) throw new Error('a row without a table is always there');
  const event = toEvent(row);
  return {
    state: toState(row),
    dueTime: row.due_time ?? undefined,
    overdueTime: row.overdue_time ?? event?.time,
    overduePosition: event?.position,
    overdueEventTime: event?.time,
    currentTime: row.current_time,
  };
}
