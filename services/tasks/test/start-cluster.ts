import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { Client, type QueryResultRow } from 'pg';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { ProjectsServiceService } from '#contract/tasks/v1/projects';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { startCluster, testPostgresUrl, testRedisUrl, type Cluster, type ClusterOptions } from '#dev/cluster';
import { openStub, retry, type Stub } from '#dev/stubs';
import type { TestUser } from './start-tasks.ts';

export interface Person extends TestUser {
  email: string;
}

export interface TasksCluster {
  cluster: Cluster;
  auth: Stub<typeof AuthServiceService>;
  users: Stub<typeof UsersServiceService>;
  tasks: Stub<typeof TasksServiceService>;
  projects: Stub<typeof ProjectsServiceService>;
  /** The second replica of tasks, where the cluster has one. */
  second: Stub<typeof TasksServiceService>;
  /** Rows of the database of tasks. */
  sql<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** A new user whom every service knows. */
  newUser(displayName: string): Promise<Person>;
  admin(): Promise<Person>;
  stop(): Promise<void>;
}

/** Starts auth, users and tasks as separate processes. */
export async function startTasksCluster(options: Partial<ClusterOptions> = {}): Promise<TasksCluster> {
  const cluster = await startCluster({
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: testRedisUrl(),
    copyDatabases: true,
    ports: 'free',
    services: ['auth', 'users', 'tasks'],
    ...options,
  });
  const { certificates } = cluster;
  const auth = openStub(AuthServiceService, cluster.address('auth'), { certificates });
  const users = openStub(UsersServiceService, cluster.address('users'), { certificates });
  const tasks = openStub(TasksServiceService, cluster.address('tasks'), { certificates });
  const projects = openStub(ProjectsServiceService, cluster.address('tasks'), { certificates });
  const hasSecond = (options.replicas?.tasks ?? 1) > 1;
  const second = hasSecond ? openStub(TasksServiceService, cluster.address('tasks', 1), { certificates }) : tasks;
  const database = new Client({ connectionString: cluster.databaseUrl('tasks') });
  await database.connect();
  return {
    cluster,
    auth,
    users,
    tasks,
    projects,
    second,
    sql: async <Row extends QueryResultRow>(text: string, values: unknown[] = []) =>
      (await database.query<Row>(text, values)).rows,
    newUser: async (displayName) => {
      const email = `${randomBytes(8).toString('hex')}@example.com`;
      const { account, tokens } = await auth.register({
        email,
        password: randomBytes(12).toString('hex'),
        displayName,
      });
      const user = { email, userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } };
      // On a busy machine auth answers before users has heard of it.
      await retry(() => users.getMe({}, user.as));
      return user;
    },
    admin: async () => {
      const { account, tokens } = await auth.login({ email: cluster.admin.email, password: cluster.admin.password });
      return { email: cluster.admin.email, userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } };
    },
    stop: async () => {
      for (const client of new Set([auth, users, tasks, projects, second])) client.close();
      await database.end();
      await cluster.stop();
    },
  };
}

/** Starts a cluster before the tests of a block and stops it after them; its members are there when the tests run. */
export function useTasksCluster(options: Partial<ClusterOptions> = {}): TasksCluster {
  const service = {} as TasksCluster;
  beforeAll(async () => {
    Object.assign(service, await startTasksCluster(options));
  }, 120_000);
  afterAll(() => service.stop());
  return service;
}

/** A new user of each name for the tests of a block. They are there when the tests run. */
export function usePeople<const N extends readonly string[]>(
  service: TasksCluster,
  ...names: N
): { [K in keyof N]: Person } {
  const people = names.map(() => ({}) as Person);
  beforeAll(async () => {
    const created = await Promise.all(names.map((name) => service.newUser(name)));
    for (const [index, person] of people.entries()) Object.assign(person, created[index]);
  });
  return people as unknown as { [K in keyof N]: Person };
}
