import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Task, type Person } from './task.entity.ts';
import { taskNotFound } from './task.errors.ts';

export interface TaskRepository {
  add(task: Task): void;
  /** Locks the task until the transaction ends. Throws TASK_NOT_FOUND, also when the person may not see it. */
  getForChange(taskId: string, person: Person): Promise<Task>;
  /** Locks those of the tasks that the person may see, in the order of their ids. */
  findForChange(taskIds: readonly string[], person: Person): Promise<ReadonlyMap<string, Task>>;
  /** As getForChange; a deleted task too, but for its owner only and until its purge time. */
  getForUndeletion(taskId: string, person: Person, now: Date): Promise<Task>;
  /** Which of the external ids the owner's tasks have. */
  findExternalIds(ownerId: string, externalIds: readonly string[]): Promise<Set<string>>;
}

const locked = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;

function isThereFor(task: Task, person: Person, now: Date): boolean {
  if (task.deleteTime === null) return task.isVisibleTo(person);
  return task.isOwnedBy(person) && task.purgeTime !== null && task.purgeTime > now;
}

export function createTaskRepository(em: EntityManager): TaskRepository {
  return {
    add: (task) => void em.persist(task),
    getForChange: async (taskId, person) => {
      const task = await em.findOne(Task, { id: taskId, deleteTime: null }, locked);
      if (task === null || !task.isVisibleTo(person)) throw taskNotFound(taskId);
      return task;
    },
    findForChange: async (taskIds, person) => {
      const tasks = await em.find(Task, { id: { $in: [...taskIds] }, deleteTime: null }, { ...locked, orderBy: { id: 'asc' } });
      return new Map(tasks.filter((task) => task.isVisibleTo(person)).map((task) => [task.id, task]));
    },
    getForUndeletion: async (taskId, person, now) => {
      const task = await em.findOne(Task, { id: taskId }, locked);
      if (task === null || !isThereFor(task, person, now)) throw taskNotFound(taskId);
      return task;
    },
    findExternalIds: async (ownerId, externalIds) => {
      if (externalIds.length === 0) return new Set();
      const found = await em.find(Task, { ownerId, externalId: { $in: [...externalIds] }, deleteTime: null }, { fields: ['externalId'], disableIdentityMap: true });
      return new Set(found.flatMap(({ externalId }) => externalId ?? []));
    },
  };
}
