import { runStatement, type EntityManager, type Statement } from '#libs/db';
import { taskPriorityFromJSON, taskStatusFromJSON } from '#contract/tasks/v1/tasks';
import { Task, type Person } from '../domain/task.entity.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import type { TaskRepository } from '../domain/task.repository.ts';
import type { TaskCells } from './task-row.ts';

const columns = `
  id, owner_id, assignee_id, title, description, status, priority, due_time, due_date::text as due_date, due_zone, due_version, overdue_version,
  labels, external_id, version, create_time, update_time, complete_time, delete_time, purge_time`;

export const lockTasks: Statement = {
  name: 'lock_tasks',
  text: `select ${columns} from tasks where id = any ($1::uuid[]) and (delete_time is null or $2) order by id for update`,
};

const findTaken: Statement = {
  name: 'find_external_ids',
  text: 'select external_id from tasks where owner_id = $1 and external_id = any ($2::text[]) and delete_time is null',
};

export interface StoredTask extends TaskCells {
  due_time: Date | null;
  due_version: bigint;
  overdue_version: bigint | null;
  version: bigint;
  create_time: Date;
  update_time: Date;
  complete_time: Date | null;
  delete_time: Date | null;
  purge_time: Date | null;
}

export function toEntity(row: StoredTask): Task {
  return Object.assign(new Task(), {
    id: row.id,
    ownerId: row.owner_id,
    assigneeId: row.assignee_id,
    title: row.title,
    description: row.description,
    status: taskStatusFromJSON(row.status),
    priority: taskPriorityFromJSON(row.priority),
    dueTime: row.due_time,
    dueDate: row.due_date,
    dueZone: row.due_zone,
    dueVersion: row.due_version,
    overdueVersion: row.overdue_version,
    labels: row.labels,
    externalId: row.external_id,
    version: row.version,
    createTime: row.create_time,
    updateTime: row.update_time,
    completeTime: row.complete_time,
    deleteTime: row.delete_time,
    purgeTime: row.purge_time,
  });
}

function isThereFor(task: Task, person: Person, now: Date): boolean {
  if (task.deleteTime === null) return task.isVisibleTo(person);
  return task.isOwnedBy(person) && task.purgeTime !== null && task.purgeTime > now;
}

/** Reads tasks under their locks; each that it gives away is told to `remember` first. */
export function createTaskStore(em: EntityManager, remember: (task: Task) => void): Omit<TaskRepository, 'add'> {
  const lock = async (taskIds: readonly string[], deleted: boolean): Promise<Task[]> =>
    (await runStatement<StoredTask>(em, lockTasks, [taskIds, deleted])).map(toEntity);
  const give = (task: Task): Task => {
    remember(task);
    return task;
  };
  return {
    getForChange: async (taskId, person) => {
      const [task] = await lock([taskId], false);
      if (task?.isVisibleTo(person) !== true) throw taskNotFound(taskId);
      return give(task);
    },
    findForChange: async (taskIds, person) => {
      const visible = (await lock(taskIds, false)).filter((task) => task.isVisibleTo(person));
      return new Map(visible.map((task) => [task.id, give(task)]));
    },
    getForUndeletion: async (taskId, person, now) => {
      const [task] = await lock([taskId], true);
      if (task === undefined || !isThereFor(task, person, now)) throw taskNotFound(taskId);
      return give(task);
    },
    findExternalIds: async (ownerId, externalIds) => {
      if (externalIds.length === 0) return new Set();
      const found = await runStatement<{ external_id: string }>(em, findTaken, [ownerId, externalIds]);
      return new Set(found.map((row) => row.external_id));
    },
  };
}
