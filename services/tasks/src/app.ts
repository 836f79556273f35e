import { CommentsServiceService } from '#contract/tasks/v1/comments';
import { InternalReadersServiceService } from '#contract/tasks/v1/readers';
import { InternalProjectsServiceService, ProjectsServiceService } from '#contract/tasks/v1/projects';
import { InternalTasksServiceService, TasksServiceService } from '#contract/tasks/v1/tasks';
import { openAudit } from '#libs/audit';
import { openCache } from '#libs/cache';
import { createPageTokens, openServiceDatabase, uuidv7, type Database } from '#libs/db';
import {
  createEventBroadcaster,
  createEventSignal,
  createLogSource,
  createOutbox,
  currentPosition,
  positionBefore,
  positionBeforeEvent,
  pullEvents,
  readPart,
  type Outbox,
} from '#libs/events';
import { bind, toStatusMessage } from '#libs/grpc';
import type { AccessKeys } from '#libs/identity';
import { openAccess, openPorts, startApplication, type ServiceBase } from '#libs/service';
import { openLimits, type Quota } from '#libs/limits';
import { currentContext, type Clock, type Logger, type RunningApp } from '#libs/runtime';
import { openInvitees } from './clients/auth.client.ts';
import { openPeopleDirectory } from './clients/users.client.ts';
import type { TasksConfig } from './config.ts';
import { databaseDefinition } from './db/database.ts';
import { constraintErrors, createRepositories } from './db/repositories.ts';
import { exportedData } from './db/exported-data.ts';
import { taskGroups } from './db/task-groups.ts';
import { createCommentReader } from './db/comment-reader.ts';
import { createInvitationReader } from './db/invitation-reader.ts';
import { createTaskFeed, memberships } from './db/task-feed.ts';
import { createProjectReader } from './db/project-reader.ts';
import { createWatcherReader } from './db/watcher-reader.ts';
import { createTaskReader } from './db/task-reader.ts';
import type { EventFeed, Invitees, PartFeed, PeopleDirectory, TaskFeed, TasksDeps } from './deps.ts';
import { feedRestored, resumeTokenCompacted } from './domain/feed.errors.ts';
import type { InvitationMail } from './domain/invitation.repository.ts';
import { audienceOfPayload, projectsOfPayload } from './domain/task-audience.ts';
import { taskEventsChannel } from './domain/task.events.ts';
import { commentsHandlers } from './rpc/comments.handlers.ts';
import { internalProjectsHandlers } from './rpc/internal-projects.handlers.ts';
import { internalReadersHandlers } from './rpc/internal-readers.handlers.ts';
import { internalTasksHandlers } from './rpc/internal-tasks.handlers.ts';
import { projectsHandlers } from './rpc/projects.handlers.ts';
import { tasksHandlers } from './rpc/tasks.handlers.ts';
import { startMaintenance, startMeasuring } from './start-up.ts';
import { unknownEmailsLimit } from './use-cases/look-up-people.ts';

export interface AppOverrides {
  logger?: Logger;
  clock?: Clock;
  /** Instead of auth's. */
  accessKeys?: AccessKeys;
  /** The pause between two turns of a maintenance loop. */
  maintenanceIntervalMs?: number;
  /** A stream of WatchTasks without news gets a heartbeat after this time. */
  heartbeatMs?: number;
}

type Base = ServiceBase<TasksConfig>;

/** Starts the service. Everything is constructed here, once. */
export function startApp(config: TasksConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  return startApplication(config, overrides, async (base) => {
    const database = await openServiceDatabase(base, databaseDefinition);
    const limits = await openLimits(base);
    const access = openAccess(base, config.authAddress, overrides.accessKeys);
    const eventFeed = openEventFeed(base, database);
    const invitees = openInviteesClient(base);
    const deps = createDeps(
      {
        database,
        people: openPeople(base),
        invitees,
        outbox: startOutbox(base, database, invitees),
        unknownEmails: await limits.quota({ name: 'unknown-emails', ...unknownEmailsLimit }),
        eventFeed,
        taskFeed: openTaskFeed(base, database, { ...eventFeed, ...overrides }),
      },
      base,
      overrides,
    );
    startMaintenance(base, deps, overrides);
    startMeasuring(base, database);
    const ports = await openPorts(base, {
      bindings: [
        bind(TasksServiceService, tasksHandlers(deps)),
        bind(ProjectsServiceService, projectsHandlers(deps)),
        bind(CommentsServiceService, commentsHandlers(deps)),
        bind(InternalTasksServiceService, internalTasksHandlers(deps)),
        bind(InternalReadersServiceService, internalReadersHandlers(deps)),
        bind(InternalProjectsServiceService, internalProjectsHandlers(deps)),
      ],
      access,
      limits,
      audit: openAudit(base, database),
      exportedData,
      snapshots: database.snapshots,
      pageTokens: deps.pageTokens,
      schemaVersion: database.schemaVersion,
      checks: { database: () => database.check() },
    });
    base.parts.add({ name: 'waiting readers', stop: async () => eventFeed.endWaits() });
    return ports;
  });
}

/** `endWaits` ends the waiting of readers, so that they do not delay the stop of the server. */
function openEventFeed({ logger, parts }: Base, { reader, credentials }: Database): EventFeed & { endWaits(): void } {
  const signal = createEventSignal({ credentials, channel: taskEventsChannel, logger });
  parts.add({ name: 'event signal', stop: () => signal.stop() });
  const closing = new AbortController();
  return {
    closing: closing.signal,
    pull: (after, limit, own) => pullEvents(reader, after, limit, own),
    wait: (maxMs, abort, wanted) => signal.wait(maxMs, AbortSignal.any([abort, closing.signal]), wanted),
    endWaits: () => closing.abort(),
  };
}

const defaultHeartbeatMs = 5000;

/** One reader of the log serves all streams of WatchTasks in this process. */
function openTaskFeed(
  { logger, parts }: Base,
  { reader }: Database,
  { wait, heartbeatMs = defaultHeartbeatMs }: EventFeed & Pick<AppOverrides, 'heartbeatMs'>,
): TaskFeed {
  const source = createLogSource(reader, memberships);
  const broadcaster = createEventBroadcaster({
    source,
    logger,
    wait,
    audienceOf: ({ payload }) => audienceOfPayload(payload),
    partsOf: ({ payload }) => projectsOfPayload(payload),
    onPruned: resumeTokenCompacted,
    onUnknown: feedRestored,
    heartbeatMs,
  });
  parts.add({ name: 'event broadcaster', stop: broadcaster.stop });
  return createTaskFeed(reader, source, broadcaster);
}

const openPartFeed = ({ reader }: Database): PartFeed => ({
  read: (partId, after, limit) => readPart(reader, partId, after, limit),
  end: () => currentPosition(reader),
  before: (time) => positionBefore(reader, time),
  beforeEvent: (event) => positionBeforeEvent(reader, event),
});

function openPeople(base: Base): PeopleDirectory {
  const { config, identity, logger, metrics, parts } = base;
  const people = openPeopleDirectory(openCache(base, config.limits), {
    address: config.usersAddress,
    identity,
    logger,
    metrics,
  });
  parts.add({ name: 'users client', stop: async () => people.close() });
  return people;
}

function openInviteesClient({ config, identity, logger, metrics, parts }: Base): Invitees {
  const invitees = openInvitees({ address: config.authAddress, identity, logger, metrics });
  parts.add({ name: 'auth client', stop: async () => invitees.close() });
  return invitees;
}

type OutboxCalls = { 'mail-invitation': InvitationMail };

// Short: another replica takes over a call of a dead process only after this time.
const outboxTimeoutMs = 3000;

function startOutbox(base: Base, database: Database, invitees: Invitees): Outbox<OutboxCalls> {
  const outbox = createOutbox<OutboxCalls>({
    ...base,
    database,
    timeoutMs: outboxTimeoutMs,
    handlers: { 'mail-invitation': (mail) => invitees.mail(mail) },
  });
  outbox.start();
  base.parts.add({ name: 'outbox', stop: () => outbox.stop() });
  return outbox;
}

const dayMs = 24 * 3_600_000;

interface Outside {
  database: Database;
  people: PeopleDirectory;
  invitees: Invitees;
  outbox: Outbox<OutboxCalls>;
  unknownEmails: Quota;
  eventFeed: EventFeed;
  taskFeed: TaskFeed;
}

function createDeps(
  { database, outbox, ...outside }: Outside,
  { config, clock: shared }: Base,
  { clock = shared }: AppOverrides,
): TasksDeps {
  const uow = database.unitOfWork(
    (em) => createRepositories(em, { mailInvitation: (mail) => outbox.add(em, 'mail-invitation', mail) }),
    constraintErrors,
  );
  return {
    uow,
    oneTaskUow: database.groupCommit(taskGroups, uow),
    taskReader: createTaskReader(database.reader),
    projectReader: createProjectReader(database.reader),
    invitationReader: createInvitationReader(database.reader),
    commentReader: createCommentReader(database.reader),
    watcherReader: createWatcherReader(database.reader),
    partFeed: openPartFeed(database),
    ...outside,
    pageTokens: createPageTokens(config.pageTokenKeys),
    clock,
    newId: uuidv7,
    sendsMail: config.sendsMail,
    retentionMs: config.retentionDays * dayMs,
    keepEventsMs: config.eventRetentionDays * dayMs,
    toStatus: (error) => toStatusMessage(error, currentContext()?.requestId ?? ''),
  };
}
