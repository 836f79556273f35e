import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { startCluster, testPostgresUrl, testRedisUrl, type Cluster } from '#libs/devcluster';
import { openPublicClient, patiently, type PublicClient } from '#libs/grpc';
import { as, registration } from './factories.ts';

let cluster: Cluster;
let auths: PublicClient<typeof AuthServiceService>[];
let users: PublicClient<typeof UsersServiceService>;
let tasks: PublicClient<typeof TasksServiceService>;
beforeAll(async () => {
  // Short, but with the margin that replicas need to notice each other's keys.
  const serviceEnv = { auth: { TASKFLOW_AUTH_JWKS_MAX_AGE_MS: '1000', TASKFLOW_AUTH_KEY_MARGIN_MS: '6000' } };
  cluster = await startCluster({ postgresAdminUrl: testPostgresUrl(), redisUrl: testRedisUrl(), copyDatabases: true, ports: 'free', replicas: { auth: 2 }, services: ['auth', 'users', 'tasks'], serviceEnv });
  auths = [0, 1].map((replica) => openPublicClient(AuthServiceService, cluster.address('auth', replica)));
  users = openPublicClient(UsersServiceService, cluster.address('users'));
  tasks = openPublicClient(TasksServiceService, cluster.address('tasks'));
});
afterAll(async () => {
  for (const client of [...auths, users, tasks]) client?.close();
  await cluster?.stop();
});

const auth = (turn: number): PublicClient<typeof AuthServiceService> => auths[turn % 2] as PublicClient<typeof AuthServiceService>;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Load {
  calls: number;
  failures: unknown[];
  /** Key ids of the tokens that were used, in the order of their first use, by the replica that signed. */
  kids: [Set<string>, Set<string>];
  stop(): Promise<void>;
}

/** Somebody who keeps refreshing, now at one replica of auth, now at the other, and uses each new token at once and everywhere. */
async function startLoad(): Promise<Load> {
  const registered = await auth(0).register(registration());
  await patiently(() => users.getMe({}, as(registered)));
  let stopping = false;
  let refreshToken = registered.tokens?.refreshToken ?? '';
  const load: Load = { calls: 0, failures: [], kids: [new Set(), new Set()], stop: async () => ((stopping = true), running) };
  async function useOnce(turn: number): Promise<void> {
    const refreshed = await auth(turn).refreshSession({ refreshToken });
    refreshToken = refreshed.tokens?.refreshToken ?? '';
    load.kids[turn % 2 === 0 ? 0 : 1].add(decodeProtectedHeader(refreshed.tokens?.accessToken ?? '').kid ?? '');
    const call = as(refreshed);
    const answers = await Promise.allSettled([tasks.listTasks({}, call), users.getMe({}, call), auth(turn + 1).listSessions({}, call), tasks.listTasks({}, call)]);
    load.calls += answers.length;
    load.failures.push(...answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : [])));
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
    const admin = await auth(0).login({ email: cluster.admin.email, password: cluster.admin.password });
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
