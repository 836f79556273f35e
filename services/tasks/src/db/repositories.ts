import { pruneIdempotency, type EntityManager } from '#libs/db';
import { createEventLog, pruneEvents } from '#libs/events';
import { counterCount } from '../domain/task-counters.ts';
import { audienceOfPayload } from '../domain/task-audience.ts';
import type { TaskDueRepository } from '../domain/task-due.repository.ts';
import { taskEventsChannel } from '../domain/task.events.ts';
import { externalIdTaken } from '../domain/task.errors.ts';
import type { TaskLog } from '../domain/task-log.ts';
import type { TaskRepository } from '../domain/task.repository.ts';
import { createDeletedTasks, type DeletedTasks } from './deleted-tasks.ts';
import { createOverdueCounts, type OverdueCounts } from './overdue-counts.ts';
import { createOverdueSweep, type OverdueSweep } from './overdue-sweep.ts';
import { createTaskWriter } from './task-writer.ts';

/** What a unit of work may use. */
export interface Repositories {
  tasks: TaskRepository;
  dues: TaskDueRepository;
  sweep: OverdueSweep;
  overdueCounts: OverdueCounts;
  deletedTasks: DeletedTasks;
  /** Recorded requests: deletes up to `limit` of those whose time is over, and tells how many. */
  requests: { prune(limit: number): Promise<number> };
  /** Deletes up to `limit` of the oldest events that are older than `keepMs`, and tells how many. */
  events: { prune(keepMs: number, limit: number): Promise<number> };
  /** Last in every transaction. */
  log: TaskLog;
}

export function createRepositories(em: EntityManager): Repositories {
  const events = createEventLog(em, { channel: taskEventsChannel, counterCount });
  return {
    ...createTaskWriter(em, events),
    sweep: createOverdueSweep(em),
    overdueCounts: createOverdueCounts(em),
    deletedTasks: createDeletedTasks(em),
    requests: { prune: (limit) => pruneIdempotency(em, limit) },
    events: { prune: (keepMs, limit) => pruneEvents(em, { keepMs, limit, audienceOf: audienceOfPayload }) },
  };
}

export const constraintErrors = { tasks_external_id: externalIdTaken };
