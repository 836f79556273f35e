import { randomBytes } from 'node:crypto';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { NotificationsServiceService, type Notification } from '#contract/scheduler/v1/notifications';
import { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { Task, TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { type Cluster, type ClusterOptions, startCluster, startTcpProxy, type TcpProxy, testPostgresUrl, testRedisUrl, until } from '#libs/devcluster';
import { openPublicClient, patiently, type PublicClient } from '#libs/grpc';
import { Redis } from 'ioredis';
import { Client } from 'pg';

export interface TestUser {
  userId: string;
  /** Call options that prove to be this user. */
  as: { token: string };
}

export interface SchedulerCluster {
  cluster: Cluster;
  /** The only way to Redis that the cluster has. */
  redis: TcpProxy;
  /** Takes everything away that the cluster has in Redis. */
  flushRedis(): Promise<void>;
  tasks: PublicClient<typeof TasksServiceService>;
  scheduler: PublicClient<typeof SchedulerServiceService>;
  notifications: PublicClient<typeof NotificationsServiceService>;
  /** Somebody whom every service knows. */
  newUser(displayName: string): Promise<TestUser>;
  admin: TestUser;
  createTask(user: TestUser, fields?: Partial<Task>): Promise<Task>;
  /** Asks for a sweep now. */
  sweep(): Promise<string>;
  inbox(user: TestUser): Promise<Notification[]>;
  /** The inbox once everything that had happened by now has reached it or been dropped. */
  settledInbox(user: TestUser): Promise<Notification[]>;
  /** As somebody could choose it with an earlier release, in which nothing was sent there either. */
  chooseEmail(user: TestUser, alsoInbox: boolean): Promise<void>;
  /** Asks the scheduler's database. */
  sql<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  /** The sum of a metric of the scheduler over its labels. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

/** Marks the tasks that only tell how far the events have come. */
const lastTitle = 'the last of them';

export const anHourAgo = (): Date => new Date(Date.now() - 3_600_000);

/** All four services as processes of their own; sweeps only run when asked for. */
export async function startSchedulerCluster(options: Partial<ClusterOptions> = {}): Promise<SchedulerCluster> {
  const redis = await startTcpProxy(testRedisUrl());
  const cluster = await startCluster({
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: redis.url,
    copyDatabases: true,
    ports: 'free',
    env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000' },
    ...options,
  });
  const auth = openPublicClient(AuthServiceService, cluster.address('auth'));
  const users = openPublicClient(UsersServiceService, cluster.address('users'));
  const tasks = openPublicClient(TasksServiceService, cluster.address('tasks'));
  const scheduler = openPublicClient(SchedulerServiceService, cluster.address('scheduler'));
  const notifications = openPublicClient(NotificationsServiceService, cluster.address('scheduler'));
  const database = new Client({ connectionString: cluster.databaseUrl('scheduler') });
  await database.connect();
  const signedIn = await auth.login({ email: cluster.admin.email, password: cluster.admin.password });
  const admin = { userId: signedIn.account?.id ?? '', as: { token: signedIn.tokens?.accessToken ?? '' } };

  const sql = async <Row>(text: string, values: unknown[] = []) => (await database.query(text, values)).rows as Row[];
  const sweep = async () => (await scheduler.triggerSchedule({ scheduleId: 'overdue-sweep' }, admin.as)).runId;
  // What a start asks for by itself, and tries again while tasks is still starting: from here on a sweep is one that a test asked for.
  const builtIn = () => sql("select distinct schedule_id from schedule_runs where schedule_id in ('overdue-sweep', 'pruning') and state = 'done'");
  await until(builtIn, (rows) => rows.length === 2);
  const inbox = async (user: TestUser) => (await notifications.listNotifications({}, user.as)).notifications;
  const createTask = async (user: TestUser, fields: Partial<Task> = {}) => {
    const { task } = await tasks.createTask({ task: Task.fromPartial({ title: 'Water the plants', ...fields }) }, user.as);
    if (task === undefined) throw new Error('the answer has no task');
    return task;
  };

  return {
    cluster,
    redis,
    flushRedis: async () => {
      // Past the proxy, so that it also works while the cluster cannot reach Redis.
      const url = new URL(testRedisUrl());
      url.pathname = new URL(cluster.redisUrl).pathname;
      const connection = new Redis(url.href);
      await connection.flushdb();
      connection.disconnect();
    },
    tasks,
    scheduler,
    notifications,
    newUser: async (displayName) => {
      const email = `${randomBytes(8).toString('hex')}@example.com`;
      const { account, tokens } = await auth.register({ email, password: randomBytes(12).toString('hex'), displayName });
      const user = { userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } };
      // On a busy machine auth answers before users has heard of it.
      await patiently(() => users.getMe({}, user.as));
      return user;
    },
    admin,
    createTask,
    sweep,
    inbox,
    settledInbox: async (user) => {
      // Events come in order: once this one has arrived, all before it have become notifications.
      const last = await createTask(user, { title: lastTitle, dueTime: anHourAgo() });
      await sweep();
      await until(() => inbox(user), (all) => all.some(({ taskId }) => taskId === last.id));
      await until(() => sql("select 1 from notifications where state = 'pending'"), (rows) => rows.length === 0);
      return (await inbox(user)).filter(({ taskTitle }) => taskTitle !== lastTitle);
    },
    chooseEmail: async ({ userId }, alsoInbox) => {
      const profiles = new Client({ connectionString: cluster.databaseUrl('users') });
      await profiles.connect();
      await profiles.query('update profiles set channels = $2 where id = $1', [userId, alsoInbox ? ['inbox', 'email'] : ['email']]);
      await profiles.end();
    },
    sql,
    metric: async (name) => {
      const text = await (await fetch(`${cluster.httpAddress('scheduler')}/metrics`)).text();
      const values = [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'gm'))].map(([, value]) => Number(value));
      return values.reduce((sum, value) => sum + value, 0);
    },
    stop: async () => {
      for (const client of [auth, users, tasks, scheduler, notifications]) client.close();
      await database.end();
      await cluster.stop();
      await redis.close();
    },
  };
}
