import { endWith, type CommonTable, type EntityManager } from '#libs/db';
import type { EventLog } from '#libs/events';
import type { TaskDueRepository } from '../domain/task-due.repository.ts';
import type { Task } from '../domain/task.entity.ts';
import { toOverdueEvent, type RecordedChange } from '../domain/task.events.ts';
import type { TaskLog } from '../domain/task-log.ts';
import type { TaskRepository } from '../domain/task.repository.ts';
import { createTaskStore } from './task-store.ts';
import { keptDues, leftDues, newTasks, writtenTasks } from './write-tables.ts';

/**
 * Everything that a unit of work writes about tasks is one prepared statement at its end: the rows of tasks, their due
 * rows, the events, the audience, the heads with their counters, and the response of the request id.
 */
export function createTaskWriter(em: EntityManager, events: EventLog): { tasks: TaskRepository; dues: TaskDueRepository; log: TaskLog } {
  const added = new Set<Task>();
  /** With the version that was read: whoever changes a task raises it. */
  const read = new Map<Task, bigint>();
  const following = new Set<Task>();
  let recorded: readonly RecordedChange[] | undefined;
  let ending = false;
  const end = (): void => {
    if (!ending) endWith(em, write);
    ending = true;
  };

  const remember = (task: Task): void => {
    read.set(task, task.version);
    end();
  };
  const add = (task: Task): void => {
    added.add(task);
    end();
  };

  async function write(alongside: readonly CommonTable[]): Promise<void> {
    const changed = [...read].filter(([task, version]) => task.version !== version).map(([task]) => task);
    const changes = recorded ?? [];
    if (changes.length !== added.size + changed.length) throw new Error('every task that is written needs its event, and no other');
    const due = [...following];
    const left = due.filter((task) => !task.isWaitingForDueTime() && !added.has(task)).map(({ id }) => id);
    const tables = [
      ...(added.size > 0 ? [newTasks([...added])] : []),
      ...(left.length > 0 ? [leftDues(left)] : []),
      ...(changed.length > 0 ? [writtenTasks(changed, left.length > 0)] : []),
      ...keptDues(due.filter((task) => task.isWaitingForDueTime())),
      ...alongside,
    ];
    await events.append(changes.map(({ event }) => event), changes.flatMap(({ counters }) => counters), tables);
  }

  return {
    tasks: { add, ...createTaskStore(em, remember) },
    dues: { follow: (tasks) => tasks.forEach((task) => following.add(task)) },
    log: {
      record: async (changes) => void (recorded = changes),
      recordOverdue: (tasks) => events.append(tasks.map(toOverdueEvent)),
    },
  };
}
