import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { createPageTokens, openServiceDatabase, type Database } from '#libs/db';
import { bind, openAccess, openPorts, startApplication, type AccessKeys, type ServiceBase } from '#libs/grpc';
import { openLimits } from '#libs/limits';
import { systemClock, type Clock, type Logger, type RunningApp } from '#libs/runtime';
import type { UsersConfig } from './config.ts';
import { createRepositories, databaseDefinition } from './db/database.ts';
import { createProfileReader } from './db/profile.reader.ts';
import type { UsersDeps } from './deps.ts';
import { internalUsersHandlers } from './rpc/internal-users.handlers.ts';
import { usersHandlers } from './rpc/users.handlers.ts';

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
    const access = openAccess(base, config.authAddress, overrides.accessKeys);
    return openPorts(base, {
      bindings: [bind(UsersServiceService, usersHandlers(deps)), bind(InternalUsersServiceService, internalUsersHandlers(deps))],
      access,
      limits: await openLimits(base),
      schemaVersion: database.schemaVersion,
      checks: { database: () => database.check() },
    });
  });
}

function createDeps({ config }: Base, database: Database, { clock = systemClock }: AppOverrides): UsersDeps {
  return {
    uow: database.unitOfWork(createRepositories),
    reader: createProfileReader(database.reader),
    pageTokens: createPageTokens(config.pageTokenKey),
    clock,
  };
}
