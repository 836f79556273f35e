import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthServiceService, Role } from '#contract/auth/v1/auth';
import { UsersServiceService } from '#contract/users/v1/users';
import { startCluster, testPostgresUrl, testRedisUrl, type Cluster } from '#libs/devcluster';
import { CallError, openPublicClient, type PublicClient } from '#libs/grpc';
import { Client } from 'pg';
import { readFileSync } from 'node:fs';
import { registration } from './factories.ts';

let cluster: Cluster;
let auth: PublicClient<typeof AuthServiceService>;
let users: PublicClient<typeof UsersServiceService>;
beforeAll(async () => {
  cluster = await startCluster({ postgresAdminUrl: testPostgresUrl(), redisUrl: testRedisUrl(), copyDatabases: true, ports: 'free', services: ['auth', 'users'] });
  auth = openPublicClient(AuthServiceService, cluster.address('auth'));
  users = openPublicClient(UsersServiceService, cluster.address('users'));
}, 120_000);
afterAll(async () => {
  auth?.close();
  users?.close();
  await cluster?.stop();
});

/** Repeats a call as its RetryInfo asks for. */
async function settle<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof CallError) || error.kind !== 'unavailable') throw error;
      await new Promise((resolve) => setTimeout(resolve, error.details.retryAfterMs ?? 100));
    }
  }
}

/** Waits until sending this account's profile has failed for now. */
async function untilPostponed(accountId: string): Promise<void> {
  const database = new Client({ connectionString: cluster.databaseUrl('auth') });
  await database.connect();
  const text = `select 1 from outbox where payload->>'accountId' = $1 and last_error is not null`;
  while ((await database.query(text, [accountId])).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await database.end();
}

describe('auth and users together', () => {
  it('A1: a registered user finds the profile at once, with the same id', async () => {
    const { account, tokens } = await auth.register(registration({ displayName: 'Grace Hopper' }));
    const { user } = await users.getMe({}, { token: tokens?.accessToken ?? '' });
    expect(user).toMatchObject({ id: account?.id, email: account?.email, role: Role.USER, enabled: true, displayName: 'Grace Hopper' });
    expect(user?.createTime).toEqual(account?.createTime);
  });

  it('D2: a refresh token is no access token', async () => {
    const { tokens } = await auth.register(registration());
    await expect(users.getMe({}, { token: tokens?.refreshToken ?? '' })).rejects.toMatchObject({ kind: 'unauthenticated', reason: 'TOKEN_INVALID' });
  });

  it('D6: the first administrator may do what others may not', async () => {
    const { tokens } = await auth.register(registration());
    await expect(users.listUsers({}, { token: tokens?.accessToken ?? '' })).rejects.toMatchObject({ reason: 'ADMIN_REQUIRED' });
    const password = cluster.admin.passwordFile === undefined ? cluster.admin.password : readFileSync(cluster.admin.passwordFile, 'utf8').trim();
    const admin = await auth.login({ email: cluster.admin.email, password });
    const listed = await settle(() => users.listUsers({ pageSize: 1000 }, { token: admin.tokens?.accessToken ?? '' }));
    expect(listed.users).toContainEqual(expect.objectContaining({ id: admin.account?.id, role: Role.ADMIN }));
  });

  it('Register succeeds while users is down, and the profile comes when it is back', async () => {
    await cluster.kill('users', 'SIGKILL');
    const { account, tokens } = await auth.register(registration());
    await cluster.start('users');
    const { user } = await settle(() => users.getMe({}, { token: tokens?.accessToken ?? '' }));
    expect(user?.id).toBe(account?.id);
  });

  it('a registration that was answered survives the death of auth, and so does its message to users', async () => {
    await cluster.kill('users', 'SIGKILL');
    const request = registration();
    const { account, tokens } = await auth.register(request);
    // Killed in the middle of an attempt the message would be taken over too, but only when the lease has run out.
    await untilPostponed(account?.id ?? '');
    await cluster.kill('auth', 'SIGKILL');
    await cluster.start('auth');
    await cluster.start('users');
    expect((await settle(() => auth.login(request))).account).toEqual(account);
    const { user } = await settle(() => users.getMe({}, { token: tokens?.accessToken ?? '' }));
    expect(user?.id).toBe(account?.id);
  });

  it('tokens that were given out before stay good after auth was started again', async () => {
    const { tokens } = await auth.register(registration());
    await cluster.restart('auth');
    await settle(() => users.getMe({}, { token: tokens?.accessToken ?? '' }));
    await settle(() => auth.refreshSession({ refreshToken: tokens?.refreshToken ?? '' }));
  });
});
