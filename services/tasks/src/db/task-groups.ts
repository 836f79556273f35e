import { runStatement, type Ask, type EntityManager, type GroupPlan, type GroupWrite, type Statement } from '#libs/db';
import { createEventLog, currentOrigin, type NewEvent } from '#libs/events';
import { isThereFor, type LockedTask } from '../domain/locked-task.ts';
import { maySee } from '../domain/task-access.ts';
import { counterCount } from '../domain/task-counters.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import { countersOf, taskEventsChannel, toEvent, type TaskWrite } from '../domain/task.events.ts';
import type { OneTaskRepository } from '../domain/task.repository.ts';
import { lockThose, type TaskLock } from './task-locks.ts';
import { tablesOf } from './task-writer.ts';

/** What a change of one task may use. */
export interface OneTask {
  tasks: OneTaskRepository;
}

/** A work's task, with whom it asks about. */
type TaskAsk = Ask & TaskLock;

/** The changes of one work. Their events know the call that they belong to. */
interface TaskGroupWrite extends GroupWrite {
  writes: readonly TaskWrite[];
  events: readonly NewEvent[];
}

/** Changes of single tasks that share a transaction: one statement locks the tasks, one writes everything. */
export const taskGroups: GroupPlan<OneTask, LockedTask, TaskGroupWrite, TaskAsk> = {
  repositories: ({ lock, finish }) => ({
    tasks: {
      getForChange: async (taskId, person, assigneeId = null) => {
        const locked = await lock({ key: taskId, taskId, userId: person.userId, assigneeId });
        if (locked.task.deleteTime !== null || !maySee(person, locked)) throw taskNotFound(taskId);
        return locked;
      },
      getForUndeletion: async (taskId, person, now) => {
        const locked = await lock({ key: taskId, taskId, userId: person.userId, assigneeId: null });
        if (!isThereFor(person, locked, now)) throw taskNotFound(taskId);
        return locked;
      },
      write: async (writes, response) => finish(response, toGroupWrite(writes)),
    },
  }),
  lock: async (em, asks) => {
    const found = await lockThose(em, asks, { deleted: true, skipHeld: true });
    return new Map(found.map((locked) => [locked.task.id, locked]));
  },
  findCollisions,
  write: async (em, groupWrites, ctes) => {
    const writes = groupWrites.flatMap((each) => each.writes);
    const events = groupWrites.flatMap((each) => each.events);
    const log = createEventLog(em, { channel: taskEventsChannel, counterCount });
    await log.append(events, writes.flatMap(countersOf), [...tablesOf(writes), ...ctes]);
  },
};

/** The event holds the task before and after, the row holds it once more. */
function toGroupWrite(writes: readonly TaskWrite[]): TaskGroupWrite {
  const origin = currentOrigin();
  const events = writes.map((write) => ({ ...toEvent(write), origin }));
  const eventBytes = events.reduce((sum, { payload }) => sum + payload.length, 0);
  return { writes, events, rowCount: writes.length, sizeBytes: 2 * eventBytes };
}

const findTakenPairs: Statement = {
  name: 'find_external_id_pairs',
  text: `
    select t.owner_id as "ownerId", t.external_id as "externalId"
    from unnest($1::uuid[], $2::text[]) as t (owner_id, external_id)
    where exists (
      select 1 from tasks
      where tasks.owner_id = t.owner_id and tasks.external_id = t.external_id and tasks.delete_time is null)`,
};

interface ExternalKey {
  ownerId: string;
  externalId: string;
}

const textOf = ({ ownerId, externalId }: ExternalKey): string => `${ownerId} ${externalId}`;

/** Writes that take an external id which the owner's tasks, or an earlier one of the writes, have. */
async function findCollisions(
  em: EntityManager,
  groupWrites: readonly TaskGroupWrite[],
): Promise<ReadonlySet<TaskGroupWrite>> {
  const takers = groupWrites.flatMap((write) => newExternalKeys(write).map((key) => ({ write, key })));
  if (takers.length === 0) return new Set();
  const found = await runStatement<ExternalKey>(em, findTakenPairs, [
    takers.map(({ key }) => key.ownerId),
    takers.map(({ key }) => key.externalId),
  ]);
  const taken = new Set(found.map(textOf));
  const colliding = new Set<TaskGroupWrite>();
  for (const { write, key } of takers) {
    if (taken.has(textOf(key))) colliding.add(write);
    taken.add(textOf(key));
  }
  return colliding;
}

/** External ids that were not taken before: of tasks that are created or come back. */
function newExternalKeys({ writes }: TaskGroupWrite): ExternalKey[] {
  return writes.flatMap(({ task: { ownerId, externalId }, before }) =>
    externalId === null || before.message !== undefined ? [] : [{ ownerId, externalId }],
  );
}
