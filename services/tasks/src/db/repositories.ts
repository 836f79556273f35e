import { pruneIdempotency, type EntityManager } from '#libs/db';
import { createEventLog, pruneEvents } from '#libs/events';
import { counterCount } from '../domain/task-counters.ts';
import { audienceOfPayload } from '../domain/task-audience.ts';
import { taskEventsChannel } from '../domain/task.events.ts';
import { externalIdTaken } from '../domain/task.errors.ts';
import type { CommentRepository } from '../domain/comment.repository.ts';
import type { DepartureRepository } from '../domain/departure.repository.ts';
import type { ProjectRepository } from '../domain/project.repository.ts';
import type { TaskRepository } from '../domain/task.repository.ts';
import type { WatcherRepository } from '../domain/watcher.repository.ts';
import type { UserTasksRepository } from '../domain/user-tasks.repository.ts';
import { createCommentStore } from './comment-store.ts';
import { createDeletedTasks, type DeletedTasks } from './deleted-tasks.ts';
import { createDepartureStore } from './departure-store.ts';
import { createDueRowsAside, type DueRowsAside } from './due-rows-aside.ts';
import { createOverdueCounts, type OverdueCounts } from './overdue-counts.ts';
import { createOverdueSweep, type OverdueSweep } from './overdue-sweep.ts';
import { createProjectStore } from './project-store.ts';
import { createTaskStore } from './task-store.ts';
import { createTaskWriter } from './task-writer.ts';
import { createWatcherStore } from './watcher-store.ts';
import { createUserTasks } from './user-tasks.ts';

/** What a unit of work may use. */
export interface Repositories {
  tasks: TaskRepository;
  userTasks: UserTasksRepository;
  projects: ProjectRepository;
  departures: DepartureRepository;
  comments: CommentRepository;
  watchers: WatcherRepository;
  sweep: OverdueSweep;
  dueRowsAside: DueRowsAside;
  overdueCounts: OverdueCounts;
  deletedTasks: DeletedTasks;
  /** Deletes up to `limit` recorded requests whose time is over. Returns how many. */
  requests: { prune(limit: number): Promise<number> };
  /** Deletes up to `limit` of the oldest events that are older than `keepMs`. Returns how many. */
  events: { prune(keepMs: number, limit: number): Promise<number> };
}

export function createRepositories(em: EntityManager): Repositories {
  const events = createEventLog(em, { channel: taskEventsChannel, counterCount });
  return {
    tasks: { ...createTaskStore(em), write: createTaskWriter(em, events) },
    userTasks: createUserTasks(em, events),
    projects: createProjectStore(em, events),
    departures: createDepartureStore(em),
    comments: createCommentStore(em, events),
    watchers: createWatcherStore(em),
    sweep: createOverdueSweep(em, events),
    dueRowsAside: createDueRowsAside(em),
    overdueCounts: createOverdueCounts(em),
    deletedTasks: createDeletedTasks(em),
    requests: { prune: (limit) => pruneIdempotency(em, limit) },
    events: { prune: (keepMs, limit) => pruneEvents(em, { keepMs, limit, audienceOf: audienceOfPayload }) },
  };
}

export const constraintErrors = { tasks_external_id: externalIdTaken };
