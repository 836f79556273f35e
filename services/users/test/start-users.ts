import { ServerInfoServiceService } from '#contract/server/v1/server';
import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import type { RunningApp } from '#libs/runtime';
import { nobody, prepareTestService, type TestService } from '#dev/testing';
import { openStub, type Stub } from '#dev/stubs';
import { startApp, type AppOverrides } from '../src/app.ts';
import type { UsersConfig } from '../src/config.ts';

export interface TestUsers extends Pick<TestService, 'logLines' | 'sql' | 'asService' | 'tokenFor'> {
  users: Stub<typeof UsersServiceService>;
  internal: Stub<typeof InternalUsersServiceService>;
  info: Stub<typeof ServerInfoServiceService>;
  app: RunningApp;
  config: UsersConfig;
  stop(): Promise<void>;
}

export interface TestUsersOptions {
  config?: Partial<UsersConfig>;
  overrides?: AppOverrides;
  /** Fetches access keys from the configured auth, which is down unless a test starts one. */
  realKeys?: boolean;
  /** Lets the service reach its database another way than the test does. */
  databaseUrl?: (url: string) => string;
}

/** The service in this process, on a database of its own, with keys of its own. */
export async function startUsers({
  config: changes,
  overrides,
  realKeys,
  databaseUrl,
}: TestUsersOptions = {}): Promise<TestUsers> {
  const testService = await prepareTestService('users', databaseUrl);
  const { logger, accessKeys } = testService;
  const config: UsersConfig = {
    ...testService.config,
    poolSize: 5,
    authAddress: nobody,
    tasksAddress: nobody,
    discoverable: false,
    mailsOn: false,
    ...changes,
  };
  const app = await startApp(config, { logger, ...(realKeys === true ? {} : { accessKeys }), ...overrides });
  const users = openStub(UsersServiceService, `127.0.0.1:${app.grpcPort}`);
  const internal = openStub(InternalUsersServiceService, `127.0.0.1:${app.grpcPort}`);
  const info = openStub(ServerInfoServiceService, `127.0.0.1:${app.grpcPort}`);
  return {
    ...testService,
    users,
    info,
    internal,
    app,
    config,
    stop: async () => {
      users.close();
      internal.close();
      info.close();
      await app.stop();
      await testService.leave();
    },
  };
}
