import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { UsersServiceService } from '#contract/users/v1/users';
import {
  createMigratedDatabase,
  programOf,
  queryDatabase,
  serviceNames,
  startInfrastructure,
  testPostgresUrl,
  testRedisUrl,
  waitUntil,
  type Infrastructure,
  type ServiceName,
} from '#dev/cluster';
import { openStub, retry } from '#dev/stubs';
import {
  anHourAgo,
  startSchedulerCluster,
  type SchedulerCluster,
  type TestUser,
} from '../../../services/scheduler/test/start-cluster.ts';
import { watchInbox } from '../../../services/scheduler/test/watching.ts';
import { moveRows, outrun } from './move-rows.ts';
import { dueAt } from '../../../services/tasks/test/due.ts';

const restored = { code: 11, message: expect.stringContaining('restored') };
const password = randomBytes(12).toString('hex');

/** What `after-restore` of the image runs. */
async function runAfterRestore(service: ServiceName, url: string): Promise<void> {
  const { script, execArgv, env } = await programOf(`services/${service}/src/after-restore.ts`);
  await promisify(execFile)(process.execPath, [...execArgv, script], {
    env: { ...env, [`TASKFLOW_${service.toUpperCase()}_DATABASE_URL`]: url },
  });
}

describe('a restore', () => {
  const dir = mkdtempSync(join(tmpdir(), 'taskflow-restore-'));
  const namespace = randomBytes(4).toString('hex');
  let other: Infrastructure;
  let testCluster: SchedulerCluster;
  let ada: TestUser;
  const databases = {} as Record<ServiceName, string>;
  const backups = {} as Record<ServiceName, string>;

  /** Everything that somebody holds who has followed until now. */
  const tokensOf = async (user: TestUser) => {
    let answer = await testCluster.tasks.syncTasks({}, user.as);
    while (answer.nextPageToken !== '')
      answer = await testCluster.tasks.syncTasks({ pageToken: answer.nextPageToken }, user.as);
    const inbox = await watchInbox(testCluster, user);
    await inbox.stop();
    return { syncToken: answer.nextSyncToken, inboxToken: inbox.resumeToken };
  };
  const watchTasks = async (user: TestUser, resumeToken: string): Promise<string> => {
    const leaving = new AbortController();
    try {
      for await (const message of testCluster.tasks.watchTasks({ resumeToken }, { ...user.as, signal: leaving.signal }))
        return message.resumeToken;
    } finally {
      leaving.abort();
    }
    return '';
  };
  const notified = async (user: TestUser) =>
    (await testCluster.completedInbox(user)).map(({ taskTitle }) => taskTitle).toSorted();
  const newOverdue = (title: string) => testCluster.createTask(ada, { title, ...dueAt(anHourAgo()) });
  const outcomes = async (outcome: string): Promise<number> => {
    const page = await testCluster.cluster.metrics('scheduler');
    return Number(
      new RegExp(`^event_consumer_events_total\\{.*outcome="${outcome}".*\\} (\\S+)$`, 'm').exec(page)?.[1],
    );
  };
  /** In its place, under the running services; then what `after-restore` does. */
  const putBack = async (service: ServiceName): Promise<void> => {
    await moveRows(backups[service], databases[service]);
    if (service !== 'users') await queryDatabase(databases[service], 'select renew_log_incarnation()');
  };

  beforeAll(async () => {
    other = await startInfrastructure({ redisUrl: testRedisUrl() });
    for (const service of serviceNames)
      databases[service] = (await createMigratedDatabase(other.postgresAdminUrl, service)).url;
    testCluster = await startSchedulerCluster({ dir, namespace });
    await outrun(testPostgresUrl(), other.postgresAdminUrl);
    ada = await testCluster.newUser('Ada');
  });
  afterAll(async () => {
    await testCluster?.stop();
    await other?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('into another server at a lower transaction id loses nothing that follows, and refuses what was held before', async () => {
    await newOverdue('before');
    expect(await notified(ada)).toEqual(['before']);
    const tokens = await tokensOf(ada);
    const resumeToken = await watchTasks(ada, '');

    const urls = Object.fromEntries(
      serviceNames.map((service) => [service, testCluster.cluster.databaseUrl(service)]),
    ) as typeof databases;
    await testCluster.stop();
    for (const service of serviceNames) await moveRows(urls[service], databases[service]);
    testCluster = await startSchedulerCluster({ dir, namespace, copyDatabases: false, databaseUrls: databases });

    await expect(testCluster.tasks.syncTasks({ syncToken: tokens.syncToken }, ada.as)).rejects.toMatchObject(restored);
    await expect(watchTasks(ada, resumeToken)).rejects.toMatchObject(restored);
    await expect(watchInbox(testCluster, ada, tokens.inboxToken)).rejects.toMatchObject(restored);
    const task = await newOverdue('after');
    expect(await notified(ada)).toEqual(['after', 'before']);
    expect([await outcomes('gap'), await outcomes('restored')]).toEqual([0, 0]);

    const { syncToken } = await tokensOf(ada);
    await testCluster.tasks.updateTask({ task: { ...task, title: 'changed' }, updateMask: ['title'] }, ada.as);
    const changes = () => testCluster.tasks.syncTasks({ syncToken }, ada.as);
    expect((await waitUntil(changes, ({ tasks }) => tasks.length > 0)).tasks.map(({ title }) => title)).toEqual([
      'changed',
    ]);
  });

  it('of one database to an earlier state is reported to consumers that are ahead, and goes on', async () => {
    const auth = openStub(AuthServiceService, testCluster.cluster.address('auth'));
    const users = openStub(UsersServiceService, testCluster.cluster.address('users'));
    const register = async (email: string): Promise<TestUser> => {
      const { account, tokens } = await auth.register({ email, password, displayName: 'Somebody' });
      return { userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } };
    };
    await register('early@example.com');
    for (const service of serviceNames) {
      backups[service] = (await createMigratedDatabase(other.postgresAdminUrl, service)).url;
      await moveRows(databases[service], backups[service]);
    }
    const late = await register('late@example.com');
    await retry(() => users.getMe({}, late.as));
    const lost = await newOverdue('lost with tasks');
    const before = await notified(ada);
    const tokens = await tokensOf(ada);

    // The scheduler's cursor is behind: it reads those events again, and notifies once.
    await putBack('scheduler');
    expect(await notified(ada)).toEqual(before);
    await expect(watchInbox(testCluster, ada, tokens.inboxToken)).rejects.toMatchObject(restored);

    // Its cursor is ahead of tasks.
    await putBack('tasks');
    await expect(testCluster.tasks.syncTasks({ syncToken: tokens.syncToken }, ada.as)).rejects.toMatchObject(restored);
    await expect(testCluster.tasks.getTask({ taskId: lost.id }, ada.as)).rejects.toMatchObject({ code: 5 });
    await newOverdue('after tasks');
    expect(await notified(ada)).toEqual([...before, 'after tasks'].toSorted());
    expect(await outcomes('restored')).toBe(1);
    expect(testCluster.cluster.logs('scheduler')).toContain('its log is read again');

    // Profiles that auth has handed over are missing, until it does so again.
    await putBack('users');
    await expect(users.getMe({}, late.as)).rejects.toMatchObject({ code: 14 });
    await runAfterRestore('auth', databases.auth);
    expect((await retry(() => users.getMe({}, late.as))).user?.displayName).toBe('Somebody');

    // Accounts are gone; those who are left sign in, and what they revoke is heard of.
    await putBack('auth');
    const signIn = (email: string) => auth.login({ email, password });
    await expect(retry(() => signIn('late@example.com'))).rejects.toMatchObject({ code: 16 });
    const { tokens: held } = await signIn('early@example.com');
    const early = { token: held?.accessToken ?? '' };
    await retry(() => testCluster.tasks.listTasks({}, early));
    await auth.logout({ refreshToken: held?.refreshToken ?? '' });
    await waitUntil(() =>
      testCluster.tasks.listTasks({}, early).then(
        () => false,
        () => true,
      ),
    );
    for (const client of [auth, users]) client.close();
  });
});
