import { pruneIdempotency, type EntityManager } from '#libs/db';
import { createEventLog, pruneEvents } from '#libs/events';
import { counterCount } from '../domain/task-counters.ts';
import { audienceOfPayload } from '../domain/task-audience.ts';
import { taskEventsChannel } from '../domain/task.events.ts';
import { externalIdTaken } from '../domain/task.errors.ts';
import type { CommentRepository } from '../domain/comment.repository.ts';
import type { DepartureRepository } from '../domain/departure.repository.ts';
import type { InvitationMail, InvitationRepository } from '../domain/invitation.repository.ts';
import type { ProjectRepository } from '../domain/project.repository.ts';
import type { TaskRepository } from '../domain/task.repository.ts';
import type { WatcherRepository } from '../domain/watcher.repository.ts';
import type { UserTasksRepository } from '../domain/user-tasks.repository.ts';
import { createCommentStore } from './comment-store.ts';
import { createDeletedTasks, type DeletedTasks } from './deleted-tasks.ts';
import { createDepartureStore } from './departure-store.ts';
import { createDueRowsAside, type DueRowsAside } from './due-rows-aside.ts';
import { createInvitationStore } from './invitation-store.ts';
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
  invitations: InvitationRepository;
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

/** Calls to other services that a transaction records, to be made after it. */
export interface OutboxCalls {
  mailInvitation(mail: InvitationMail): void;
}

export function createRepositories(em: EntityManager, { mailInvitation }: OutboxCalls): Repositories {
  const events = createEventLog(em, { channel: taskEventsChannel, counterCount });
  return {
    tasks: { ...createTaskStore(em), write: createTaskWriter(em, events) },
    userTasks: createUserTasks(em, events),
    projects: createProjectStore(em, events),
    departures: createDepartureStore(em),
    invitations: createInvitationStore(em, mailInvitation),
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
