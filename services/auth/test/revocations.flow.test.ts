import { afterAll, describe, expect, it } from '@jest/globals';
import { InternalAuthServiceService } from '#contract/auth/v1/auth';
import { Task, TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { isServing, readServiceKey, waitUntil } from '#dev/cluster';
import { createClient } from '#libs/grpc';
import { createServiceIdentity } from '#libs/identity';
import { createLogger, createMetrics } from '#libs/runtime';
import { retry } from '#dev/stubs';
import { as, registration, tokenInvalid, untilRefused } from './factories.ts';
import { startAuthCluster } from './start-cluster.ts';

const { cluster, auth: authAt, open, signInAsAdmin, stop } = await startAuthCluster({ replicas: { auth: 2 } });
afterAll(stop);
const auth = authAt(0);
const otherAuth = authAt(1);
const users = open(UsersServiceService, 'users');
const tasks = open(TasksServiceService, 'tasks');
const admin = await signInAsAdmin();

/** A user whose token every service has accepted and cached. */
async function newUser() {
  const request = registration();
  const registered = await auth.register(request);
  const call = as(registered);
  const everywhere: (() => Promise<unknown>)[] = [
    () => tasks.listTasks({}, call),
    () => users.getMe({}, call),
    () => auth.listSessions({}, call),
    () => otherAuth.listSessions({}, call),
  ];
  await Promise.all(everywhere.map((ask) => retry(ask)));
  return { ...registered, request, call, everywhere };
}

/** The token would not expire for ten minutes. */
async function refusedEverywhere(everywhere: (() => Promise<unknown>)[]): Promise<void> {
  const refusals = await Promise.all(everywhere.map((ask) => untilRefused(ask)));
  for (const { error } of refusals) expect(error).toMatchObject(tokenInvalid);
}

describe('an access token', () => {
  it('A7: is refused by every replica of every service soon after Logout', async () => {
    const { everywhere, tokens } = await newUser();
    await auth.logout({ refreshToken: tokens?.refreshToken ?? '' });
    await refusedEverywhere(everywhere);
  });

  it('A8: of a session that was ended from another device is refused, and the other session goes on', async () => {
    const { everywhere, request } = await newUser();
    const other = await otherAuth.login(request);
    expect((await otherAuth.revokeOtherSessions({}, as(other))).revokedCount).toBe(1);
    await refusedEverywhere(everywhere);
    await Promise.all([tasks.listTasks({}, as(other)), users.getMe({}, as(other))]);
  });

  it('B5: of a disabled account is refused, and its tasks stay', async () => {
    const { everywhere, account, call, request } = await newUser();
    const { task } = await tasks.createTask({ task: Task.fromPartial({ title: 'stays' }) }, call);
    await otherAuth.disableAccount({ accountId: account?.id ?? '' }, as(admin));
    await refusedEverywhere(everywhere);
    await auth.enableAccount({ accountId: account?.id ?? '' }, as(admin));
    const again = await auth.login(request);
    expect((await tasks.getTask({ taskId: task?.id ?? '' }, as(again))).task?.title).toBe('stays');
  });
});

describe('WatchRevocations', () => {
  it('ends before its deadline, so that its end does not count as a failure', async () => {
    const identity = createServiceIdentity({
      service: 'scheduler',
      privateKey: readServiceKey(cluster.dir, 'scheduler'),
    });
    const logger = createLogger({ service: 'scheduler', level: 'silent' });
    const { client, close } = createClient(InternalAuthServiceService, {
      callee: 'auth',
      address: cluster.address('auth'),
      identity,
      logger,
      metrics: createMetrics('scheduler'),
    });
    const watchOnce = async (): Promise<number> => {
      let messages = 0;
      for await (const { snapshotComplete } of client.watchRevocations({}, { timeoutMs: 2000 }))
        messages += snapshotComplete ? 100 : 1;
      return messages;
    };
    // It ends a twentieth before its deadline: on a busy machine the deadline may come first.
    await waitUntil(
      () => watchOnce().catch(() => 0),
      (messages) => messages > 100,
    );
    close();
  });
});

describe('with every auth down', () => {
  const metric = async (service: 'users' | 'tasks'): Promise<string | undefined> =>
    (await (await fetch(`${cluster.httpAddress(service)}/metrics`)).text())
      .split('\n')
      .find((line) => line.startsWith('taskflow_revocations_stale{'))
      ?.split(' ')[1];
  const staleLines = (): number => cluster.logs('users').split('revocations are stale').length - 1;

  it('sensitive methods refuse once revocations are stale, the others go on, and all recover when auth is back', async () => {
    const revoked = await newUser();
    const user = await newUser();
    const { task } = await tasks.createTask({ task: Task.fromPartial({ title: 'still there' }) }, user.call);
    const getTask = () => tasks.getTask({ taskId: task?.id ?? '' }, user.call);
    await auth.logout({ refreshToken: revoked.tokens?.refreshToken ?? '' });
    await refusedEverywhere(revoked.everywhere);
    await retry(() => users.listUsers({}, as(admin)));
    await waitUntil(() => metric('users'), '0');

    const killedAfter = performance.now();
    await Promise.all([cluster.kill('auth', 'SIGKILL', 0), cluster.kill('auth', 'SIGKILL', 1)]);
    const { error } = await untilRefused(() => users.listUsers({}, as(admin)));
    expect(error).toMatchObject({ kind: 'unavailable', reason: 'REVOCATIONS_STALE', details: { retryAfterMs: 1000 } });
    expect(performance.now() - killedAfter).toBeGreaterThan(500);
    expect((await getTask()).task?.title).toBe('still there');
    await users.getMe({}, user.call);
    // What was known to be revoked stays so.
    await expect(tasks.listTasks({}, revoked.call)).rejects.toMatchObject(tokenInvalid);
    for (const service of ['users', 'tasks'] as const) await waitUntil(() => metric(service), '1');
    expect(await Promise.all([isServing(cluster.address('users')), isServing(cluster.address('tasks'))])).toEqual([
      true,
      true,
    ]);

    await cluster.start('auth', 1);
    await retry(() => users.listUsers({}, as(admin)));
    expect(staleLines()).toBe(1);
    await getTask();
    await expect(tasks.listTasks({}, revoked.call)).rejects.toMatchObject(tokenInvalid);
    await cluster.start('auth', 0);
  });
});
