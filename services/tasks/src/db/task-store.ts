import { runStatement, type EntityManager, type RowOf, type Statement } from '#libs/db';
import { taskTable } from '../domain/task.columns.ts';
import { Task, type Person } from '../domain/task.entity.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import type { TaskRepository } from '../domain/task.repository.ts';

export const lockTasks: Statement = {
  name: 'lock_tasks',
  text: `select ${taskTable.select()} from tasks where id = any ($1::uuid[]) and (delete_time is null or $2) order by id for update`,
};

const findTaken: Statement = {
  name: 'find_external_ids',
  text: 'select external_id from tasks where owner_id = $1 and external_id = any ($2::text[]) and delete_time is null',
};

export type StoredTask = RowOf<typeof taskTable.columns>;

export function toEntity(row: StoredTask): Task {
  return Task.of(taskTable.toValues(row));
}

/** Whether the person may undelete it, or need not because it is not deleted. */
export function isThereFor(task: Task, person: Person, now: Date): boolean {
  if (task.deleteTime === null) return task.isVisibleTo(person);
  return task.isOwnedBy(person) && task.purgeTime !== null && task.purgeTime > now;
}

/** Locks the tasks that it reads until the transaction ends. */
export function createTaskStore(em: EntityManager): Omit<TaskRepository, 'write'> {
  const lock = async (taskIds: readonly string[], deleted: boolean): Promise<Task[]> =>
    (await runStatement<StoredTask>(em, lockTasks, [taskIds, deleted])).map(toEntity);
  return {
    getForChange: async (taskId, person) => {
      const [task] = await lock([taskId], false);
      if (task?.isVisibleTo(person) !== true) throw taskNotFound(taskId);
      return task;
    },
    findForChange: async (taskIds, person) => {
      const visible = (await lock(taskIds, false)).filter((task) => task.isVisibleTo(person));
      return new Map(visible.map((task) => [task.id, task]));
    },
    getForUndeletion: async (taskId, person, now) => {
      const [task] = await lock([taskId], true);
      if (task === undefined || !isThereFor(task, person, now)) throw taskNotFound(taskId);
      return task;
    },
    findExternalIds: async (ownerId, externalIds) => {
      if (externalIds.length === 0) return new Set();
      const found = await runStatement<{ external_id: string }>(em, findTaken, [ownerId, externalIds]);
      return new Set(found.map((row) => row.external_id));
    },
  };
}
