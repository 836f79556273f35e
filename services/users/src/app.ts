import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { ServerFeature } from '#contract/server/v1/server';
import { openAudit } from '#libs/audit';
import { createPageTokens, openServiceDatabase, uuidv7, type Database } from '#libs/db';
import { bind } from '#libs/grpc';
import type { AccessKeys } from '#libs/identity';
import { openAccess, openPorts, startApplication, type ServiceBase } from '#libs/service';
import { openLimits } from '#libs/limits';
import { runInBackground, startLoop, type Clock, type Logger, type RunningApp } from '#libs/runtime';
import { openSharing } from './clients/tasks.client.ts';
import type { UsersConfig } from './config.ts';
import { createRepositories, databaseDefinition } from './db/database.ts';
import { exportedData } from './db/exported-data.ts';
import { createProfileReader } from './db/profile.reader.ts';
import type { UsersDeps } from './deps.ts';
import type { SharingPort } from './domain/sharing.port.ts';
import { internalUsersHandlers } from './rpc/internal-users.handlers.ts';
import { usersHandlers } from './rpc/users.handlers.ts';
import { pruneRequests } from './use-cases/prune-requests.ts';
import { setMailboxes } from './use-cases/set-mailboxes.ts';

export interface AppOverrides {
  logger?: Logger;
  clock?: Clock;
  /** Instead of auth's; nothing is revoked then. */
  accessKeys?: AccessKeys;
}

type Base = ServiceBase<UsersConfig>;

/** Starts the whole service: everything is constructed here, once. */
export function startApp(config: UsersConfig, overrides: AppOverrides = {}): Promise<RunningApp> {
  return startApplication(config, overrides, async (base) => {
    const database = await openServiceDatabase(base, databaseDefinition);
    const deps = createDeps(base, database, overrides);
    startMaintenance(base, deps);
    const access = openAccess(base, config.authAddress, overrides.accessKeys);
    return openPorts(base, {
      bindings: [
        bind(UsersServiceService, usersHandlers(deps)),
        bind(InternalUsersServiceService, internalUsersHandlers(deps)),
      ],
      access,
      features: config.mailsOn ? [ServerFeature.MAIL] : [],
      limits: await openLimits(base),
      audit: openAudit(base, database),
      exportedData: exportedData(deps.defaults),
      snapshots: database.snapshots,
      pageTokens: deps.pageTokens,
      schemaVersion: database.schemaVersion,
      checks: { database: () => database.check() },
    });
  });
}

function createDeps(base: Base, database: Database, { clock = base.clock }: AppOverrides): UsersDeps {
  const { config } = base;
  return {
    uow: database.unitOfWork(createRepositories),
    reader: createProfileReader(database.reader),
    pageTokens: createPageTokens(config.pageTokenKeys),
    mailsOn: config.mailsOn,
    clock,
    newId: uuidv7,
    sharing: openTasks(base),
    defaults: { discoverable: config.discoverable },
  };
}

function openTasks({ config, identity, logger, metrics, parts }: Base): SharingPort {
  const sharing = openSharing({ address: config.tasksAddress, identity, logger, metrics });
  parts.add({ name: 'tasks client', stop: async () => sharing.close() });
  return sharing;
}

const maintenanceIntervalMs = 3_600_000;
const maintenanceTimeoutMs = 30_000;

function startMaintenance(base: Base, deps: UsersDeps): void {
  // Again every hour: a replica of the release before may store profiles while this one is rolled out.
  repeatHourly(base, 'mailboxes', () => setMailboxes(deps));
  repeatHourly(base, 'request-pruning', () => pruneRequests(deps));
}

function repeatHourly({ logger, parts }: Base, name: string, work: () => Promise<void>): void {
  const loop = startLoop({
    name,
    logger,
    intervalMs: maintenanceIntervalMs,
    run: (signal) => runInBackground({ name, logger, timeoutMs: maintenanceTimeoutMs, signal }, work),
  });
  parts.add({ name, stop: loop.stop });
}
