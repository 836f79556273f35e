import type { EntityManager } from '@mikro-orm/postgresql';
import { TaskDue } from './task-due.entity.ts';
import type { Task } from './task.entity.ts';

export interface TaskDueRepository {
  /** Gives a new task its due row, when it has a due time. */
  add(task: Task, now: Date): void;
  /** Brings the due rows in line with the tasks, whose locks the transaction must hold. */
  follow(tasks: readonly Task[], now: Date): Promise<void>;
}

export function createTaskDueRepository(em: EntityManager): TaskDueRepository {
  const add = (task: Task, now: Date): void => {
    if (task.isWaitingForDueTime()) em.persist(TaskDue.of(task, now));
  };
  const followOne = (task: Task, due: TaskDue | undefined, now: Date): void => {
    if (due === undefined) return add(task, now);
    if (task.isWaitingForDueTime()) return due.follow(task);
    due.leave(task);
    em.remove(due);
  };
  return {
    add,
    follow: async (tasks, now) => {
      if (tasks.length === 0) return;
      const rows = await em.find(TaskDue, { taskId: { $in: tasks.map(({ id }) => id) } });
      const rowsById = new Map(rows.map((row) => [row.taskId, row]));
      for (const task of tasks) followOne(task, rowsById.get(task.id), now);
    },
  };
}
