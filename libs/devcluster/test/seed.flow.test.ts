import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { openPublicClient, type CallError } from '#libs/grpc';
import { startCluster, testPostgresUrl, testRedisUrl, type Cluster } from '../src/index.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ postgresAdminUrl: testPostgresUrl(), redisUrl: testRedisUrl(), copyDatabases: true, ports: 'free', env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000' } });
});
afterAll(() => cluster?.stop());

const script = new URL('../bin/seed.ts', import.meta.url).pathname;

/** As `npm run seed` runs it. */
async function runSeed(env: NodeJS.ProcessEnv = {}): Promise<{ code: number; text: string }> {
  const addresses = { TASKFLOW_AUTH_ADDRESS: cluster.address('auth'), TASKFLOW_USERS_ADDRESS: cluster.address('users'), TASKFLOW_TASKS_ADDRESS: cluster.address('tasks') };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env: { ...process.env, ...addresses, ...env } });
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, text: stderr };
  }
}

async function signIn(): Promise<string> {
  const auth = openPublicClient(AuthServiceService, cluster.address('auth'));
  try {
    const { tokens } = await auth.login({ email: 'ada@seed.taskflow.example', password: 'seeded-for-development-only' });
    return tokens?.accessToken ?? '';
  } finally {
    auth.close();
  }
}

describe('I7: npm run seed', () => {
  it('refuses in production, before anything is written', async () => {
    expect(await runSeed({ TASKFLOW_ENV: 'production' })).toEqual({ code: 1, text: expect.stringContaining('for development only') });
    expect(await signIn().catch((error: unknown) => (error as CallError).reason)).toBe('CREDENTIALS_INVALID');
  });

  it('adds people and tasks, and the second time nothing', async () => {
    expect(await runSeed()).toEqual({ code: 0, text: expect.stringContaining('30 tasks added, 0 already there') });
    expect(await runSeed()).toEqual({ code: 0, text: expect.stringContaining('0 tasks added, 30 already there') });
    const tasks = openPublicClient(TasksServiceService, cluster.address('tasks'));
    const { tasks: listed } = await tasks.listTasks({ pageSize: 100 }, { token: await signIn() });
    tasks.close();
    // Her own ten, and three that others gave her.
    expect(listed).toHaveLength(13);
    expect(new Set(listed.map(({ status }) => status)).size).toBe(4);
    expect(listed.some(({ overdue }) => overdue)).toBe(true);
  });
});
