import { column, defineColumns, defineEntityOf, type Stored } from '#libs/db';
import type { Task } from './task.entity.ts';

export const taskDueTable = defineColumns('task_due', {
  taskId: column.uuid().primary(),
  ownerId: column.uuid(),
  assigneeId: column.uuid().nullable(),
  projectId: column.uuid().nullable(),
  dueTime: column.time(),
  dueVersion: column.bigint(),
  /** When this due version was marked overdue; null = not yet. */
  overdueTime: column.time().nullable(),
  /**
   * Marked without an event, because its project was archived or deleted at that time. The mark is taken back when the
   * project is open again, and the due version becomes overdue with an event then. Never without a mark.
   */
  setAside: column.boolean().defaultsTo('false'),
});

/** What the sweep has made of a due version. */
export const sweptColumns = ['overdueTime', 'setAside'] as const;

export type DueRow = Omit<Stored<typeof taskDueTable.columns>, (typeof sweptColumns)[number]>;

/**
 * One row for each open task with a due time. Invariant: only a transaction that has locked the row in `tasks` writes the due
 * row. This one lock orders users' changes and sweeps, so they cannot deadlock.
 */
export const TaskDue = defineEntityOf(taskDueTable, {
  name: 'TaskDue',
  indexes: [
    // For the sweep: the oldest of all. For counting unmarked overdue tasks of an owner.
    { name: 'task_due_unmarked', properties: ['dueTime', 'taskId'], where: 'overdue_time is null' },
    { name: 'task_due_unmarked_by_owner', properties: ['ownerId', 'dueTime', 'taskId'], where: 'overdue_time is null' },
    // For the sweep, the oldest of one stream, and for counting unmarked overdue tasks of a project.
    {
      name: 'task_due_unmarked_by_stream',
      expression:
        'create index task_due_unmarked_by_stream on task_due (coalesce(project_id, owner_id), due_time, task_id) where overdue_time is null',
    },
    // For counting unmarked overdue tasks of an assignee; those of an owner have an index above.
    {
      name: 'task_due_unmarked_assigned',
      properties: ['assigneeId', 'dueTime'],
      where: 'overdue_time is null and assignee_id <> owner_id',
    },
    // For taking the marks back, by project.
    { name: 'task_due_set_aside', properties: ['projectId', 'taskId'], where: 'set_aside' },
  ],
});

/** The due row that belongs to a task, without its mark. */
export function dueRowOf(task: Task): DueRow | undefined {
  const { id: taskId, ownerId, assigneeId, projectId, dueTime, dueVersion } = task;
  return task.isWaitingForDueTime() && dueTime !== null
    ? { taskId, ownerId, assigneeId, projectId, dueTime, dueVersion }
    : undefined;
}

const compared = ['dueVersion', 'assigneeId', 'ownerId', 'projectId'] as const;

/** Whether two due rows are equal. A due version has one due time. */
export function isSameDueRow(one: DueRow | undefined, other: DueRow | undefined): boolean {
  return compared.every((key) => one?.[key] === other?.[key]);
}
