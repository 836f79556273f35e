import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { kindAndReason } from '#dev/testing';
import { Role, type TokenPair } from '#contract/auth/v1/auth';
import { Task, TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { waitUntil } from '#dev/cluster';
import type { CallError } from '#dev/stubs';
import {
  as,
  lostRace,
  raceToRegister,
  registerAccount,
  registration,
  tokenInvalid,
  untilRefused,
} from './factories.ts';
import { startAuthCluster } from './start-cluster.ts';

/** Longer than any pause of the machine; a test lets it pass in the database. */
const graceMs = 600_000;

const { cluster, auth, open, signInAsAdmin, sql, stop } = await startAuthCluster({
  replicas: { auth: 2 },
  serviceEnv: { auth: { TASKFLOW_AUTH_REFRESH_GRACE_MS: String(graceMs) } },
});
afterAll(stop);
const users = open(UsersServiceService, 'users');
const tasks = open(TasksServiceService, 'tasks');

async function refresh(refreshToken: string, replica = 0): Promise<TokenPair> {
  const { tokens } = await auth(replica).refreshSession({ refreshToken });
  if (tokens === undefined) throw new Error('the answer has no tokens');
  return tokens;
}

const register = async () => {
  const { account, ...rest } = await registerAccount({ auth: auth(0) });
  return { id: account.id, ...rest };
};

/** A call of a user to each service, and to each replica of auth. */
const everywhere = (): [string, (caller: { token: string }) => Promise<unknown>][] => [
  ['users', (caller) => users.getMe({}, caller)],
  ['tasks', (caller) => tasks.listTasks({}, caller)],
  ['auth', (caller) => auth(0).listSessions({}, caller)],
  ['auth-2', (caller) => auth(1).listSessions({}, caller)],
];

/** Expects every service to accept the token before `end`, and none after it, long before the token expires. */
async function expectEndEverywhere(caller: { token: string }, end: () => Promise<unknown>): Promise<void> {
  for (const [, call] of everywhere()) await call(caller);
  await end();
  const refusals = await Promise.all(
    everywhere().map(async ([service, call]) => ({ service, ...(await untilRefused(() => call(caller))) })),
  );
  for (const { error } of refusals) expect(error).toMatchObject(tokenInvalid);
}

/** Lets so much time pass for the tokens of an account. */
const ageTokensOf = (accountId: string, ms: number): Promise<unknown> =>
  sql(
    `update refresh_tokens set replace_time = replace_time - $2 * interval '1 millisecond' where session_id in (select id from sessions where account_id = $1)`,
    accountId,
    ms,
  );

describe('two replicas of auth', () => {
  it('A1: make one account of 50 registrations of one e-mail in all its spellings', async () => {
    const email = registration().email.replace('ada', 'ren\u00e9e');
    const spellings = [
      email,
      email.toUpperCase(),
      email.normalize('NFD'),
      email.toUpperCase().normalize('NFD'),
      ` ${email} `,
    ];
    const { registered, reasons } = await raceToRegister((index) =>
      auth(index).register(registration({ email: spellings[index % spellings.length] }), { timeoutMs: 60_000 }),
    );
    expect(registered).toBeLessThanOrEqual(1);
    for (const reason of reasons) expect(lostRace).toContain(reason);
    expect(await sql('select 1 from accounts where email = $1', email)).toHaveLength(1);
  }, 120_000);

  it('A4: keep the two kinds of tokens apart', async () => {
    const { tokens } = await register();
    const next = await refresh(tokens.refreshToken, 1);
    expect(next.refreshToken).not.toBe(tokens.refreshToken);
    expect(Buffer.from(next.refreshToken.slice('tfr_'.length), 'base64url')).toHaveLength(32);
    await expect(refresh(next.accessToken)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
    for (const [, call] of everywhere())
      await expect(call({ token: next.refreshToken })).rejects.toMatchObject(tokenInvalid);
  });

  it('A6: give 20 parallel refreshes of one token the same successor', async () => {
    const { tokens } = await register();
    const pairs = await Promise.all(Array.from({ length: 20 }, (_, index) => refresh(tokens.refreshToken, index)));
    expect(new Set(pairs.map((pair) => pair.refreshToken)).size).toBe(1);
    await refresh(pairs[0]?.refreshToken ?? '', 1);
  });

  it('A5: end the whole session when a replaced token is used after the grace window, and log it', async () => {
    const { id, tokens } = await register();
    const second = await refresh(tokens.refreshToken, 0);
    const newest = await refresh(second.refreshToken, 1);
    await refresh(tokens.refreshToken, 1);
    await ageTokensOf(id, graceMs);
    expect(await kindAndReason(refresh(tokens.refreshToken, 1))).toBe('unauthenticated/TOKEN_REUSED');
    await expect(refresh(newest.refreshToken, 0)).rejects.toMatchObject({ kind: 'unauthenticated' });
    for (const [, call] of everywhere())
      expect((await untilRefused(() => call({ token: newest.accessToken }))).error).toMatchObject(tokenInvalid);
    const audit = await waitUntil(
      async () =>
        cluster
          .logs('auth', 1)
          .split('\n')
          .find((line) => line.includes('replaced refresh token was used again')),
      (line) => line !== undefined,
    );
    expect(JSON.parse(audit ?? '{}')).toMatchObject({
      sessionId: expect.any(String),
      accountId: expect.any(String),
      peer: '127.0.0.1',
    });
  });

  it('accept repeated refreshes after one replica was killed, within the grace window or long after it', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => register()));
    for (let round = 0; round < 4; round += 1) {
      const victim = round % 2;
      const killed = pause(20 + Math.random() * 200).then(() => cluster.kill('auth', 'SIGKILL', victim));
      await Promise.all(clients.map((client) => refreshUntilKilled(client, victim)));
      await killed;
      if (round >= 2) await Promise.all(clients.map(({ id }) => ageTokensOf(id, graceMs)));
      await Promise.all(
        clients.map(async (client) => void (client.tokens = await refresh(client.tokens.refreshToken, victim + 1))),
      );
      await cluster.start('auth', victim);
    }
  });
});

/** Refreshes one time after the other, until an answer is lost. */
async function refreshUntilKilled(client: { tokens: TokenPair }, replica: number): Promise<void> {
  for (;;) {
    try {
      client.tokens = await refresh(client.tokens.refreshToken, replica);
    } catch (error) {
      expect((error as CallError).kind).toBe('unavailable');
      return;
    }
  }
}

describe('within five seconds, on every service and replica', () => {
  it('A7: a session that was logged out is refused', async () => {
    const { tokens } = await register();
    await expectEndEverywhere(as({ tokens }), () => auth(1).logout({ refreshToken: tokens.refreshToken }));
    await expect(refresh(tokens.refreshToken)).rejects.toMatchObject({ reason: 'REFRESH_TOKEN_INVALID' });
  });

  it('A8: a session that was ended from another one is refused, and the other one is not', async () => {
    const { request, tokens } = await register();
    const other = await auth(1).login(request);
    await expectEndEverywhere(as(other), () => auth(0).revokeOtherSessions({}, as({ tokens })));
    for (const [, call] of everywhere()) await call(as({ tokens }));
  });

  it('A11, D27: other sessions are refused after the password was changed', async () => {
    const { request, tokens } = await register();
    const other = await auth(1).login(request);
    const change = { currentPassword: request.password, newPassword: 'another horse battery' };
    await expectEndEverywhere(as(other), () => auth(0).changePassword(change, as({ tokens })));
    for (const [, call] of everywhere()) await call(as({ tokens }));
  });

  it('a disabled account is refused, its tasks stay, and it is accepted again when it is enabled', async () => {
    const admin = as(await signInAsAdmin());
    const { request, id, tokens } = await register();
    const { task } = await tasks.createTask({ task: Task.fromPartial({ title: 'stays' }) }, as({ tokens }));
    await expectEndEverywhere(as({ tokens }), () => auth(1).disableAccount({ accountId: id }, admin));
    await expect(auth(0).login(request)).rejects.toMatchObject({ reason: 'CREDENTIALS_INVALID' });
    await auth(0).enableAccount({ accountId: id }, admin);
    const again = as(await auth(1).login(request));
    expect((await tasks.listTasks({}, again)).tasks).toEqual([expect.objectContaining({ id: task?.id })]);
    await users.getMe({}, again);
  });

  it('a token with the old role is refused, and a token made right after has the new one', async () => {
    const admin = as(await signInAsAdmin());
    const { id, tokens } = await register();
    await auth(0).setRole({ accountId: id, role: Role.ADMIN }, admin);
    const promoted = await refresh(tokens.refreshToken, 1);
    await users.listUsers({}, { token: promoted.accessToken });
    await expectEndEverywhere({ token: promoted.accessToken }, () =>
      auth(1).setRole({ accountId: id, role: Role.USER }, admin),
    );
    expect((await untilRefused(() => users.getMe({}, as({ tokens })))).error).toMatchObject(tokenInvalid);
    const demoted = await refresh(promoted.refreshToken, 0);
    await expect(users.listUsers({}, { token: demoted.accessToken })).rejects.toMatchObject({
      reason: 'ADMIN_REQUIRED',
    });
  });

  it('B2: the directory shows a new e-mail, role and state', async () => {
    const admin = as(await signInAsAdmin());
    const { request, id, tokens } = await register();
    const { email } = registration();
    await auth(0).changeEmail({ currentPassword: request.password, newEmail: email }, as({ tokens }));
    await auth(1).setRole({ accountId: id, role: Role.ADMIN }, admin);
    await auth(1).disableAccount({ accountId: id }, admin);
    const shown = async () => (await users.getUser({ userId: id }, admin)).user;
    while ((await shown())?.enabled !== false) await pause(50);
    expect(await shown()).toMatchObject({ email, role: Role.ADMIN, enabled: false, displayName: 'Ada' });
  });
});
