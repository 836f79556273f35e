import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { retry } from '#dev/stubs';
import { as, registration } from './factories.ts';
import { startAuthCluster } from './start-cluster.ts';

const { auth, open, signInAsAdmin, stop } = await startAuthCluster({
  replicas: { auth: 2 },
  // Short, but with the margin that replicas need to notice each other's keys.
  serviceEnv: { auth: { TASKFLOW_AUTH_JWKS_MAX_AGE_MS: '1000', TASKFLOW_AUTH_KEY_MARGIN_MS: '6000' } },
});
afterAll(stop);
const users = open(UsersServiceService, 'users');
const tasks = open(TasksServiceService, 'tasks');

interface Load {
  calls: number;
  failures: unknown[];
  /** Key ids of the tokens that were used, in the order of their first use, by the replica that signed. */
  kids: [Set<string>, Set<string>];
  stop(): Promise<void>;
}

/**
 * A client that refreshes at the replicas of auth in turn, and uses each new token at once at every service.
 */
async function startLoad(): Promise<Load> {
  const registered = await auth(0).register(registration());
  await retry(() => users.getMe({}, as(registered)));
  let stopping = false;
  let refreshToken = registered.tokens?.refreshToken ?? '';
  const load: Load = {
    calls: 0,
    failures: [],
    kids: [new Set(), new Set()],
    stop: async () => ((stopping = true), running),
  };
  async function useOnce(turn: number): Promise<void> {
    const refreshed = await auth(turn).refreshSession({ refreshToken });
    refreshToken = refreshed.tokens?.refreshToken ?? '';
    load.kids[turn % 2 === 0 ? 0 : 1].add(decodeProtectedHeader(refreshed.tokens?.accessToken ?? '').kid ?? '');
    const call = as(refreshed);
    const answers = await Promise.allSettled([
      tasks.listTasks({}, call),
      users.getMe({}, call),
      auth(turn + 1).listSessions({}, call),
      tasks.listTasks({}, call),
    ]);
    load.calls += answers.length;
    load.failures.push(
      ...answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : [])),
    );
  }
  async function run(): Promise<void> {
    for (let turn = 0; !stopping; turn += 1) {
      await useOnce(turn).catch((error: unknown) => load.failures.push(error));
      // Below the limit of refreshes for one address.
      await pause(600);
    }
  }
  const running = run();
  return load;
}

describe('a rotation of the signing key', () => {
  it('A9: fails no call under load, with two replicas of auth', async () => {
    const admin = await signInAsAdmin();
    const load = await startLoad();
    for (const turn of [0, 1]) {
      const { kid } = await auth(turn).rotateSigningKey({}, as(admin));
      while (!load.kids.every((kids) => kids.has(kid))) await pause(100);
    }
    // On a slow machine the rotations take fewer turns.
    while (load.calls <= 60) await pause(100);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.kids.map((kids) => kids.size)).toEqual([3, 3]);
    expect([...load.kids[0]]).toEqual([...load.kids[1]]);
    expect(load.calls).toBeGreaterThan(60);
    expect((await auth(0).getJwks({})).keys).toHaveLength(3);
  });
});
