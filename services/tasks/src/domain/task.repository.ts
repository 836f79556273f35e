import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Task } from './task.entity.ts';
import { taskNotFound } from './task.errors.ts';

export interface TaskRepository {
  add(task: Task): void;
  /** Locks the task until the transaction ends. Throws TASK_NOT_FOUND, also when the person may not see it. */
  getForChange(taskId: string, person: { userId: string; role: 'user' | 'admin' }): Promise<Task>;
}

export function createTaskRepository(em: EntityManager): TaskRepository {
  return {
    add: (task) => void em.persist(task),
    getForChange: async (taskId, person) => {
      const task = await em.findOne(Task, { id: taskId, deleteTime: null }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (task === null || !task.isVisibleTo(person)) throw taskNotFound(taskId);
      return task;
    },
  };
}
