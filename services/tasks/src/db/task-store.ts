import { runStatement, type EntityManager, type Statement } from '#libs/db';
import { isThereFor } from '../domain/locked-task.ts';
import { maySee } from '../domain/task-access.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import type { TaskRepository } from '../domain/task.repository.ts';
import { lockProjectsForTasks, lockThose } from './task-locks.ts';
import { createTaskOrder } from './task-order.ts';

const findTaken: Statement = {
  name: 'find_external_ids',
  text: 'select external_id from tasks where owner_id = $1 and external_id = any ($2::text[]) and delete_time is null',
};

/** Locks the tasks that it reads until the transaction ends. */
export function createTaskStore(em: EntityManager): Omit<TaskRepository, 'write'> {
  return {
    ...createTaskOrder(em),
    getForChange: async (taskId, person, assigneeId = null) => {
      const [locked] = await lockThose(em, [{ taskId, userId: person.userId, assigneeId }], { deleted: false });
      if (locked === undefined || !maySee(person, locked)) throw taskNotFound(taskId);
      return locked;
    },
    findForChange: async (asked, person) => {
      const asks = asked.map((each) => ({ ...each, userId: person.userId }));
      const visible = (await lockThose(em, asks, { deleted: false })).filter((locked) => maySee(person, locked));
      return new Map(visible.map((locked) => [locked.task.id, locked]));
    },
    getForUndeletion: async (taskId, person, now) => {
      const [locked] = await lockThose(em, [{ taskId, userId: person.userId, assigneeId: null }], { deleted: true });
      if (locked === undefined || !isThereFor(person, locked, now)) throw taskNotFound(taskId);
      return locked;
    },
    lockProjects: (projectIds, userIds) => lockProjectsForTasks(em, projectIds, userIds),
    findExternalIds: async (ownerId, externalIds) => {
      if (externalIds.length === 0) return new Set();
      const found = await runStatement<{ external_id: string }>(em, findTaken, [ownerId, externalIds]);
      return new Set(found.map((row) => row.external_id));
    },
  };
}
