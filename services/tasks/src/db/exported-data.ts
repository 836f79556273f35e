import { Task, TaskEvent } from '#contract/tasks/v1/tasks';
import { canonicalJson } from '#libs/contract';
import type { SqlReader, Statement } from '#libs/db';
import { readUserEvents } from '#libs/events';
import {
  auditEvents,
  commonTables,
  defineExportPart,
  readPages,
  type ExportedData,
  type ExportPart,
} from '#libs/export';
import { toTaskEventOf } from '../domain/task.events.ts';
import { taskColumns, toTask, type TaskRow } from './task-row.ts';

type Place = [createTime: Date | string, id: string];

const beforeFirst: Place = ['-infinity', '00000000-0000-0000-0000-000000000000'];
const placeOf = ({ createTime, id }: Task): Place => [createTime ?? '', id];

/** Some of a person's tasks, oldest first, by an index that has this order. */
function tasksPart(type: string, condition: string): ExportPart {
  /* $1 person, $2 create_time and $3 id of the last task of the page before, $4 limit. */
  const statement: Statement = {
    name: `export_${type}`,
    text: `
      select ${taskColumns} from tasks t
      where ${condition} and (t.create_time, t.id) > ($2::timestamptz, $3::uuid)
      order by t.create_time, t.id limit $4`,
  };
  return defineExportPart({
    type,
    message: canonicalJson('taskflow.tasks.v1.Task', Task),
    tables: ['tasks'],
    pages: (reader, { userId }) =>
      readPages(async (after: Place | undefined, limit) => {
        const rows = await reader.query<TaskRow>(statement, [userId, ...(after ?? beforeFirst), limit]);
        return rows.map(toTask);
      }, placeOf),
  });
}

const taskEvents = defineExportPart({
  type: 'task_event',
  message: canonicalJson('taskflow.tasks.v1.TaskEvent', TaskEvent),
  tables: ['events', 'event_audience'],
  pages: async function* (reader: SqlReader, person) {
    const pages = readPages(
      (after: { transactionId: bigint; eventId: bigint } | undefined, limit) =>
        readUserEvents(reader, person.userId, after, limit),
      ({ position }) => position,
    );
    for await (const events of pages) yield events.map((stored) => toTaskEventOf(person, stored).event);
  },
});

/** What people can take away from this service. */
export const exportedData: ExportedData = {
  parts: [
    tasksPart('task', 't.owner_id = $1 and t.delete_time is null'),
    tasksPart('assigned_task', 't.assignee_id = $1 and t.assignee_id <> t.owner_id and t.delete_time is null'),
    tasksPart('deleted_task', 't.owner_id = $1 and t.delete_time is not null'),
    taskEvents,
    auditEvents,
  ],
  leftOut: {
    ...commonTables,
    task_due: 'follows from the tasks',
    overdue_moves: 'how many tasks are overdue; follows from them',
    event_stream_heads: 'where each list of events ends, and counters that follow from the tasks',
    event_horizon: 'how far events have been pruned',
    log_incarnations: 'which lives the database has had',
  },
};
