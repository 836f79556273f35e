import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { kindAndReason } from '#dev/testing';
import { Role } from '#contract/auth/v1/auth';
import { UsersServiceService } from '#contract/users/v1/users';
import { CallError } from '#dev/stubs';
import { as, registration } from './factories.ts';
import { startAuthCluster } from './start-cluster.ts';

const {
  cluster,
  auth: authAt,
  open,
  signInAsAdmin,
  sql,
  stop,
} = await startAuthCluster({ services: ['auth', 'users'] });
afterAll(stop);
const auth = authAt(0);
const users = open(UsersServiceService, 'users');

/** Repeats a call as its RetryInfo asks for. */
async function retryAsAsked<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof CallError) || error.kind !== 'unavailable') throw error;
      await pause(error.details.retryAfterMs ?? 100);
    }
  }
}

/** Waits until sending this account's profile has failed for now. */
async function untilPostponed(accountId: string): Promise<void> {
  const text = `select 1 from outbox where payload->>'accountId' = $1 and last_error is not null`;
  while ((await sql(text, accountId)).length === 0) await pause(20);
}

describe('auth and users together', () => {
  it('A1: a registered user finds the profile at once, with the same id', async () => {
    const { account, tokens } = await auth.register(registration({ displayName: 'Grace Hopper' }));
    const { user } = await users.getMe({}, as({ tokens }));
    expect(user).toMatchObject({
      id: account?.id,
      email: account?.email,
      role: Role.USER,
      enabled: true,
      displayName: 'Grace Hopper',
    });
    expect(user?.createTime).toEqual(account?.createTime);
  });

  it('D2: a refresh token is no access token', async () => {
    const { tokens } = await auth.register(registration());
    expect(await kindAndReason(users.getMe({}, { token: tokens?.refreshToken ?? '' }))).toBe(
      'unauthenticated/TOKEN_INVALID',
    );
  });

  it('D6: the first administrator may do what others may not', async () => {
    const { tokens } = await auth.register(registration());
    await expect(users.listUsers({}, as({ tokens }))).rejects.toMatchObject({ reason: 'ADMIN_REQUIRED' });
    const admin = await signInAsAdmin();
    const listed = await retryAsAsked(() => users.listUsers({ pageSize: 1000 }, as(admin)));
    expect(listed.users).toContainEqual(expect.objectContaining({ id: admin.account?.id, role: Role.ADMIN }));
  });

  it('Register succeeds while users is down, and the profile comes when it is back', async () => {
    await cluster.kill('users', 'SIGKILL');
    const { account, tokens } = await auth.register(registration());
    await cluster.start('users');
    const { user } = await retryAsAsked(() => users.getMe({}, as({ tokens })));
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
    expect((await retryAsAsked(() => auth.login(request))).account).toEqual(account);
    const { user } = await retryAsAsked(() => users.getMe({}, as({ tokens })));
    expect(user?.id).toBe(account?.id);
  });

  it('tokens that were given out before stay good after auth was started again', async () => {
    const { tokens } = await auth.register(registration());
    await cluster.restart('auth');
    await retryAsAsked(() => users.getMe({}, as({ tokens })));
    await retryAsAsked(() => auth.refreshSession({ refreshToken: tokens?.refreshToken ?? '' }));
  });
});

describe('profiles that users refuses', () => {
  // More than the outbox sends at once, so that they would fill it if they came first.
  const count = 25;
  const refusedName = 'Ada\u0007Lovelace';
  const failedText = `select id, last_error from outbox where payload->>'displayName' = $1 and last_error is not null`;
  const makeDue = () =>
    sql(
      `update outbox set attempts = 10, next_attempt_time = clock_timestamp() - interval '1 day'
       where payload->>'displayName' = $1`,
      refusedName,
    );
  const logLines = () =>
    cluster
      .logs('auth')
      .split('\n')
      .filter((line) => line.includes('outbox call failed') && line.includes('INVALID_FIELD'));
  const failures = async () =>
    /^outbox_attempts_total\{.*kind="upsert-profile",outcome="failed".*\} (\d+)$/m.exec(
      await (await fetch(`${cluster.httpAddress('auth')}/metrics`)).text(),
    )?.[1];

  it('keep nobody else from having one, stay, and are told in the log and in a metric', async () => {
    await sql(
      `insert into outbox (id, kind, payload, next_attempt_time)
       select gen_random_uuid(), 'upsert-profile', jsonb_build_object('accountId', gen_random_uuid(),
         'email', 'ada-' || n || '@example.com', 'role', 'user', 'enabled', true, 'displayName', $1::text,
         'accountVersion', '1', 'accountCreateTime', '2026-01-01T00:00:00.000Z'),
         clock_timestamp() - interval '1 day'
       from generate_series(1, $2::int) n`,
      refusedName,
      count,
    );
    const others = await Promise.all(Array.from({ length: 3 }, () => auth.register(registration())));
    for (const { account: other, tokens } of others) {
      const { user } = await retryAsAsked(() => users.getMe({}, as({ tokens })));
      expect(user?.id).toBe(other?.id);
    }
    await waitUntil(
      () => sql(failedText, refusedName),
      (rows) => rows.length === count,
    );
    // They are all due again, before everybody else's, and have failed for so long that a person should look.
    await makeDue();
    await auth.register(registration());
    await waitUntil(async () => logLines().filter((line) => line.includes('"level":"error"')).length >= count);
    const { tokens } = await auth.register(registration());
    await retryAsAsked(() => users.getMe({}, as({ tokens })));
    const kept = await sql<{ id: string }>(failedText, refusedName);
    expect(kept).toHaveLength(count);
    for (const { id } of kept) expect(logLines().some((line) => line.includes(id))).toBe(true);
    for (const personal of ['Lovelace', '@example.com']) expect(logLines().join('\n')).not.toContain(personal);
    expect(Number(await failures())).toBeGreaterThanOrEqual(2 * count);
  }, 120_000);
});
