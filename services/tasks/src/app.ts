import { InternalTasksServiceService, TasksServiceService } from '#contract/tasks/v1/tasks';
import { createPageTokens, openServiceDatabase, uuidv7, type Database } from '#libs/db';
import { createEventSignal, pullEvents } from '#libs/events';
import { bind, openAccess, openPorts, startApplication, type AccessKeys, type ServiceBase } from '#libs/grpc';
import { openLimits } from '#libs/limits';
import { runInBackground, startLoop, systemClock, type Clock, type Logger, type RunningApp } from '#libs/runtime';
import { openPeopleDirectory } from './clients/users.client.ts';
import type { TasksConfig } from './config.ts';
import { databaseDefinition } from './db/database.ts';
import { constraintErrors, createRepositories } from './db/repositories.ts';
import { createTaskReader } from './db/task-reader.ts';
import type { EventFeed, PeopleDirectory, TasksDeps } from './deps.ts';
import { taskEventsChannel } from './domain/task.events.ts';
import { internalTasksHandlers, tasksHandlers } from './rpc/tasks.handlers.ts';
import { pruneRequests } from './use-cases/prune-requests.ts';

export interface AppOverrides {
  logger?: Logger;
  clock?: Clock;
  /** Instead of auth's. */
  accessKeys?: AccessKeys;
}

type Base = ServiceBase<TasksConfig>;

/** Starts the whole service: everything is constructed here, once. */
export function startApp(config: TasksConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  return startApplication(config, overrides, async (base) => {
    const database = await openServiceDatabase(base, databaseDefinition);
    const access = openAccess(base, config.authAddress, overrides.accessKeys);
    const eventFeed = openEventFeed(base, database);
    const deps = createDeps({ database, people: openPeople(base), eventFeed }, config, overrides);
    startPruning(base, deps);
    const ports = await openPorts(base, {
      bindings: [bind(TasksServiceService, tasksHandlers(deps)), bind(InternalTasksServiceService, internalTasksHandlers(deps))],
      access,
      limit: (await openLimits(base)).interceptor,
      checks: { database: () => database.check() },
    });
    base.parts.add({ name: 'waiting readers', stop: async () => eventFeed.endWaits() });
    return ports;
  });
}

/** `endWaits` lets readers that wait for events go, so that they do not hold up the end of the server. */
function openEventFeed({ config, logger, parts }: Base, { reader }: Database): EventFeed & { endWaits(): void } {
  const signal = createEventSignal({ url: config.databaseUrl, channel: taskEventsChannel, logger });
  parts.add({ name: 'event signal', stop: () => signal.stop() });
  const closing = new AbortController();
  return {
    closing: closing.signal,
    pull: (after, limit) => pullEvents(reader, after, limit),
    wait: (maxMs, abort) => signal.wait(maxMs, AbortSignal.any([abort, closing.signal])),
    endWaits: () => closing.abort(),
  };
}

function openPeople({ config, identity, logger, metrics, parts }: Base): PeopleDirectory {
  const people = openPeopleDirectory({ address: config.usersAddress, identity, logger, metrics });
  parts.add({ name: 'users client', stop: async () => people.close() });
  return people;
}

interface Outside {
  database: Database;
  people: PeopleDirectory;
  eventFeed: EventFeed;
}

function createDeps({ database, people, eventFeed }: Outside, config: TasksConfig, { clock = systemClock }: AppOverrides): TasksDeps {
  return {
    uow: database.unitOfWork(createRepositories, constraintErrors),
    taskReader: createTaskReader(database.reader),
    eventFeed,
    people,
    pageTokens: createPageTokens(config.pageTokenKey),
    clock,
    newId: uuidv7,
  };
}

const pruning = { name: 'prune-requests', intervalMs: 60_000, timeoutMs: 10_000 } as const;

function startPruning({ logger, parts }: Base, deps: TasksDeps): void {
  const { name, intervalMs, timeoutMs } = pruning;
  const run = (signal: AbortSignal) => runInBackground({ name, logger, timeoutMs, signal }, () => pruneRequests(deps));
  const loop = startLoop({ name, logger, intervalMs, run });
  parts.add({ name, stop: loop.stop });
}
