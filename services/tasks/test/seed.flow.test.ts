import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { serviceNames } from '#dev/cluster';
import type { CallError } from '#dev/stubs';
import { useTasksCluster } from './start-cluster.ts';

const service = useTasksCluster({
  services: serviceNames,
  env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000' },
});

const script = new URL('../seed/main.ts', import.meta.url).pathname;

/** As `npm run seed` runs it. */
async function runSeed(env: NodeJS.ProcessEnv = {}): Promise<{ code: number; text: string }> {
  const addresses = {
    TASKFLOW_AUTH_ADDRESS: service.cluster.address('auth'),
    TASKFLOW_USERS_ADDRESS: service.cluster.address('users'),
    TASKFLOW_TASKS_ADDRESS: service.cluster.address('tasks'),
    TASKFLOW_SCHEDULER_ADDRESS: service.cluster.address('scheduler'),
  };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script], {
      env: { ...process.env, ...addresses, ...env },
    });
    return { code: 0, text: stdout };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, text: stderr };
  }
}

async function signIn(): Promise<string> {
  const { tokens } = await service.auth.login({
    email: 'ada@seed.taskflow.example',
    password: 'seeded-for-development-only',
  });
  return tokens?.accessToken ?? '';
}

describe('I7: npm run seed', () => {
  it('refuses in production, before anything is written', async () => {
    expect(await runSeed({ TASKFLOW_ENV: 'production' })).toEqual({
      code: 1,
      text: expect.stringContaining('for development only'),
    });
    expect(await signIn().catch((error: unknown) => (error as CallError).reason)).toBe('CREDENTIALS_INVALID');
  });

  it('adds people and tasks, and the second time nothing', async () => {
    expect(await runSeed()).toEqual({ code: 0, text: expect.stringContaining('33 tasks added, 0 already there') });
    expect(await runSeed()).toEqual({ code: 0, text: expect.stringContaining('0 tasks added, 33 already there') });
    const { tasks: listed } = await service.tasks.listTasks({ pageSize: 100 }, { token: await signIn() });
    // Her own, in a project or not, and those that others gave her.
    expect(listed).toHaveLength(22);
    expect(new Set(listed.map(({ status }) => status)).size).toBe(4);
    expect(listed.some(({ overdue }) => overdue)).toBe(true);
  });

  it('adds projects, in which others have written to each other, and a webhook', async () => {
    const token = await signIn();
    const { projects } = await service.projects.listProjects({ showArchived: true }, { token });
    expect(projects.map(({ key, memberCount, archiveTime }) => [key, memberCount, archiveTime !== undefined])).toEqual(
      expect.arrayContaining([
        ['WEB', 3, false],
        ['OPS', 3, false],
        ['MOVE', 2, true],
      ]),
    );
    const comments = await service.sql('select from comments where mention_ids <> $1', [[]]);
    expect(comments).toHaveLength(2);
  });
});
