import type { CommonTable } from '#libs/db';
import { dueRowOf, sweptColumns, taskDueTable } from '../domain/task-due.entity.ts';
import { taskTable } from '../domain/task.columns.ts';
import type { Task } from '../domain/task.entity.ts';

/* The parts of the one statement that ends a unit of work: each is a common table expression. */

/**
 * Sorted by external id and owner: parallel transactions with the same ids wait for each other in the unique index, and
 * must not deadlock.
 */
export function newTasks(tasks: readonly Task[]): CommonTable {
  const keyOf = ({ externalId, ownerId }: Task): string => (externalId === null ? '' : `${externalId} ${ownerId}`);
  const ordered = [...tasks].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  return {
    name: 'new_tasks',
    text: (add) => `${taskTable.insert(ordered, add)} returning 1`,
  };
}

/** Numbers that the tasks of these projects have had; the projects are locked. */
export function takenNumbers(tasks: readonly Task[]): CommonTable[] {
  const highest = new Map<string, bigint>();
  for (const { projectId, number } of tasks)
    if (projectId !== null && number !== null && number > (highest.get(projectId) ?? 0n))
      highest.set(projectId, number);
  if (highest.size === 0) return [];
  const text: CommonTable['text'] = (add) => `
    update projects set last_number = taken.number
    from unnest(${add([...highest.keys()], 'uuid[]')}, ${add([...highest.values()].map(String), 'bigint[]')}) as taken (id, number)
    where projects.id = taken.id returning 1`;
  return [{ name: 'taken_numbers', text }];
}

/** Deletes the due rows of tasks that no longer wait for their due time, and returns the due versions that were marked. */
export function leftDues(taskIds: readonly string[]): CommonTable {
  return {
    name: 'left_dues',
    text: (add) => `
      delete from task_due where task_id = any (${add(taskIds, 'uuid[]')})
      returning task_id, case when overdue_time is not null and not set_aside then due_version end as marked_version`,
  };
}

/** Updates tasks. When due rows are deleted, each task keeps the due version that was marked. */
export function writtenTasks(tasks: readonly Task[], withLeftDues: boolean): CommonTable {
  const remembering = withLeftDues ? ', overdue_version = coalesce(left_dues.marked_version, new.overdue_version)' : '';
  const marks = withLeftDues ? 'left join left_dues on left_dues.task_id = new.id' : '';
  return {
    name: withLeftDues ? 'closed_tasks' : 'written_tasks',
    text: (add) => `
      update tasks set ${taskTable.assignments()}${remembering} from ${taskTable.records(tasks, add)} ${marks}
      where tasks.id = new.id returning 1`,
  };
}

/** Tasks with the columns that only a move or another owner changes. */
export const movedTasks = (tasks: readonly Task[]): CommonTable => ({
  name: 'moved',
  text: (add) => `
    update tasks set ${taskTable.assignments()}, owner_id = new.owner_id, external_id = new.external_id,
      project_id = new.project_id, number = new.number, key = new.key
    from ${taskTable.records(tasks, add)} where tasks.id = new.id returning 1`,
});

/* What was set aside belongs to its project: in another one, or in none, the due version is still to become overdue. */
const isKept = `(task_due.due_version = excluded.due_version
        and (not task_due.set_aside or task_due.project_id = excluded.project_id))`;

/** Due rows of tasks that wait for their due time. One that was marked before its task was closed stays marked. */
export function keptDues(tasks: readonly Task[]): CommonTable[] {
  const rows = tasks.flatMap((task) => {
    const due = dueRowOf(task);
    const isMarked = task.overdueVersion === task.dueVersion;
    return due === undefined ? [] : [{ ...due, overdueTime: isMarked ? task.updateTime : null, setAside: false }];
  });
  if (rows.length === 0) return [];
  const text: CommonTable['text'] = (add) => `
    ${taskDueTable.insert(rows, add)}
    on conflict (task_id) do update set ${taskDueTable.assignments([...sweptColumns], 'excluded')},
      overdue_time = case when ${isKept} then task_due.overdue_time end,
      set_aside = task_due.set_aside and ${isKept}
    returning 1`;
  return [{ name: 'kept_dues', text }];
}
