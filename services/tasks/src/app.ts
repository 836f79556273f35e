import { CommentsServiceService } from '#contract/tasks/v1/comments';
import { InternalReadersServiceService } from '#contract/tasks/v1/readers';
import { ProjectsServiceService } from '#contract/tasks/v1/projects';
import { InternalTasksServiceService, TasksServiceService } from '#contract/tasks/v1/tasks';
import { openAudit } from '#libs/audit';
import { openCache } from '#libs/cache';
import { createPageTokens, openServiceDatabase, uuidv7, type Database } from '#libs/db';
import {
  createEventBroadcaster,
  createEventSignal,
  createLogSource,
  currentPosition,
  positionBefore,
  positionBeforeEvent,
  pullEvents,
  readPart,
} from '#libs/events';
import { bind, toStatusMessage } from '#libs/grpc';
import type { AccessKeys } from '#libs/identity';
import { openAccess, openPorts, startApplication, type ServiceBase } from '#libs/service';
import { openLimits, type Quota } from '#libs/limits';
import { currentContext, runInBackground, startLoop, type Clock, type Logger, type RunningApp } from '#libs/runtime';
import { openPeopleDirectory } from './clients/users.client.ts';
import type { TasksConfig } from './config.ts';
import { databaseDefinition } from './db/database.ts';
import { constraintErrors, createRepositories } from './db/repositories.ts';
import { exportedData } from './db/exported-data.ts';
import { taskGroups } from './db/task-groups.ts';
import { createCommentReader } from './db/comment-reader.ts';
import { createTaskFeed, memberships } from './db/task-feed.ts';
import { createProjectReader } from './db/project-reader.ts';
import { createWatcherReader } from './db/watcher-reader.ts';
import { createTaskReader } from './db/task-reader.ts';
import { readOverdueLag } from './db/overdue-lag.ts';
import type { EventFeed, PartFeed, PeopleDirectory, TaskFeed, TasksDeps } from './deps.ts';
import { feedRestored, resumeTokenCompacted } from './domain/feed.errors.ts';
import { audienceOfPayload, projectsOfPayload } from './domain/task-audience.ts';
import { taskEventsChannel } from './domain/task.events.ts';
import { commentsHandlers } from './rpc/comments.handlers.ts';
import { internalReadersHandlers } from './rpc/internal-readers.handlers.ts';
import { internalTasksHandlers } from './rpc/internal-tasks.handlers.ts';
import { projectsHandlers } from './rpc/projects.handlers.ts';
import { tasksHandlers } from './rpc/tasks.handlers.ts';
import { unknownEmailsLimit } from './use-cases/look-up-people.ts';
import { maintenance } from './use-cases/maintenance.ts';

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
    const deps = createDeps(
      {
        database,
        people: openPeople(base),
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

const dayMs = 24 * 3_600_000;

interface Outside {
  database: Database;
  people: PeopleDirectory;
  unknownEmails: Quota;
  eventFeed: EventFeed;
  taskFeed: TaskFeed;
}

function createDeps(
  { database, ...outside }: Outside,
  { config, clock: shared }: Base,
  { clock = shared }: AppOverrides,
): TasksDeps {
  const uow = database.unitOfWork(createRepositories, constraintErrors);
  return {
    uow,
    oneTaskUow: database.groupCommit(taskGroups, uow),
    taskReader: createTaskReader(database.reader),
    projectReader: createProjectReader(database.reader),
    commentReader: createCommentReader(database.reader),
    watcherReader: createWatcherReader(database.reader),
    partFeed: openPartFeed(database),
    ...outside,
    pageTokens: createPageTokens(config.pageTokenKeys),
    clock,
    newId: uuidv7,
    retentionMs: config.retentionDays * dayMs,
    keepEventsMs: config.eventRetentionDays * dayMs,
    toStatus: (error) => toStatusMessage(error, currentContext()?.requestId ?? ''),
  };
}

const measureIntervalMs = 5000;

function startMeasuring({ logger, metrics, parts }: Base, { reader }: Database): void {
  const lag = metrics.gauge(
    'taskflow_overdue_lag_seconds',
    'How long the oldest due task has been waiting for the sweep.',
  );
  const run = (signal: AbortSignal) =>
    runInBackground({ name: 'measuring', logger, timeoutMs: 4000, signal }, async () =>
      lag.set(await readOverdueLag(reader)),
    );
  const loop = startLoop({ name: 'measuring', logger, intervalMs: measureIntervalMs, run });
  parts.add({ name: 'measuring', stop: loop.stop });
}

function startMaintenance(
  { logger, parts }: Base,
  deps: TasksDeps,
  { maintenanceIntervalMs: intervalMs = 60_000 }: AppOverrides,
): void {
  for (const [name, turn] of Object.entries(maintenance)) {
    const run = (signal: AbortSignal) => runInBackground({ name, logger, timeoutMs: 10_000, signal }, () => turn(deps));
    const loop = startLoop({ name, logger, intervalMs, run });
    parts.add({ name, stop: loop.stop });
  }
}
