import type { EntityManager } from '@mikro-orm/postgresql';
import { TaskDue } from './task-due.entity.ts';
import type { Task } from './task.entity.ts';

export interface TaskDueRepository {
  /** Gives a new task its due row, when it has a due time. */
  add(task: Task, now: Date): void;
  /** Brings the due row in line with the task, whose lock the transaction must hold. */
  follow(task: Task, now: Date): Promise<void>;
}

export function createTaskDueRepository(em: EntityManager): TaskDueRepository {
  const add = (task: Task, now: Date): void => {
    if (task.isWaitingForDueTime()) em.persist(TaskDue.of(task, now));
  };
  return {
    add,
    follow: async (task, now) => {
      const due = await em.findOne(TaskDue, task.id);
      if (due === null) return add(task, now);
      if (task.isWaitingForDueTime()) return due.follow(task);
      due.leave(task);
      em.remove(due);
    },
  };
}
