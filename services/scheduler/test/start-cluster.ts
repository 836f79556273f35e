import { NotificationsServiceService, type Notification } from '#contract/scheduler/v1/notifications';
import { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { Task, type TaskStatus } from '#contract/tasks/v1/tasks';
import { User } from '#contract/users/v1/users';
import { serviceNames, startTcpProxy, testRedisUrl, waitUntil, type ClusterOptions, type TcpProxy } from '#dev/cluster';
import { toColumnName } from '#libs/db';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { openStub, type Stub } from '#dev/stubs';
import { dueAt } from '../../tasks/test/due.ts';
import { anHourAgo, createTask } from '../../tasks/test/factories.ts';
import { startTasksCluster, type TasksCluster } from '../../tasks/test/start-cluster.ts';
import { queryOnce, type TestUser } from '#dev/testing';

export type { TestUser } from '#dev/testing';
export { anHourAgo } from '../../tasks/test/factories.ts';

export interface SchedulerCluster extends Pick<TasksCluster, 'cluster' | 'tasks' | 'projects' | 'newUser'> {
  /** The only way to Redis that the cluster has. */
  redis: TcpProxy;
  /** Deletes everything that the cluster has in Redis. */
  flushRedis(): Promise<void>;
  scheduler: Stub<typeof SchedulerServiceService>;
  notifications: Stub<typeof NotificationsServiceService>;
  admin: TestUser;
  createTask(user: TestUser, fields?: Partial<Task>): Promise<Task>;
  /** Tasks that have been due for an hour. */
  createOverdue(user: TestUser, count: number): Promise<Task[]>;
  setStatus(user: TestUser, taskId: string, status: TaskStatus): Promise<void>;
  /** Changes the user's settings. */
  choose(user: TestUser, settings: Partial<User>): Promise<void>;
  /** Blocks every writer of a table of the scheduler until `release`. */
  lockTable(table: string): Promise<{ release(): Promise<void> }>;
  /** Asks for a sweep now. */
  sweep(): Promise<string>;
  inbox(user: TestUser): Promise<Notification[]>;
  /** The inbox once every event until now was delivered or dropped. */
  completedInbox(user: TestUser): Promise<Notification[]>;
  /** Stores a choice that earlier releases allowed; nothing was sent by e-mail then either. */
  chooseEmail(user: TestUser, alsoInbox: boolean): Promise<void>;
  /** Queries the scheduler's database. */
  sql<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  /** The sum of a metric of the scheduler over its labels. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
}

/** Marks the tasks that only show how far the events have come. */
const lastTitle = 'the last of them';

/** All four services as processes of their own; sweeps only run when asked for. */
export async function startSchedulerCluster(options: Partial<ClusterOptions> = {}): Promise<SchedulerCluster> {
  const redis = await startTcpProxy(testRedisUrl());
  const others = await startTasksCluster({
    redisUrl: redis.url,
    services: serviceNames,
    env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000' },
    ...options,
  });
  const { cluster, users, tasks, projects, newUser } = others;
  const { certificates } = cluster;
  const scheduler = openStub(SchedulerServiceService, cluster.address('scheduler'), { certificates });
  const notifications = openStub(NotificationsServiceService, cluster.address('scheduler'), { certificates });
  const database = new Client({ connectionString: cluster.databaseUrl('scheduler') });
  await database.connect();
  const admin = await others.admin();

  const sql = async <Row>(text: string, values: unknown[] = []) => (await database.query(text, values)).rows as Row[];
  const sweep = async () => (await scheduler.triggerSchedule({ scheduleId: 'overdue-sweep' }, admin.as)).runId;
  // The first runs are retried while tasks is still starting. After them every sweep is one that a test asked for.
  const builtIn = () =>
    sql(
      "select distinct schedule_id from schedule_runs where schedule_id in ('overdue-sweep', 'pruning') and state = 'done'",
    );
  await waitUntil(builtIn, (rows) => rows.length === 2);
  const inbox = async (user: TestUser) => (await notifications.listNotifications({}, user.as)).notifications;

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
    projects,
    scheduler,
    notifications,
    newUser,
    admin,
    createTask: (user, fields) => createTask(others, user, fields),
    createOverdue: (user, count) =>
      Promise.all(
        Array.from({ length: count }, (_, index) =>
          createTask(others, user, { title: `task ${index}`, ...dueAt(anHourAgo()) }),
        ),
      ),
    setStatus: async (user, id, status) => {
      await tasks.updateTask({ task: Task.fromPartial({ id, status }), updateMask: ['status'] }, user.as);
    },
    choose: async ({ userId, as }, settings) => {
      const updateMask = Object.keys(settings).map(toColumnName);
      await users.updateUser({ user: User.fromPartial({ id: userId, ...settings }), updateMask }, as);
    },
    lockTable: async (table) => {
      const connection = new Client({ connectionString: cluster.databaseUrl('scheduler') });
      await connection.connect();
      await connection.query(`begin; lock table ${table} in share row exclusive mode`);
      return { release: () => connection.end() };
    },
    sweep,
    inbox,
    completedInbox: async (user) => {
      // Events come in order: once this one has arrived, all before it have become notifications.
      const last = await createTask(others, user, { title: lastTitle, ...dueAt(anHourAgo()) });
      await sweep();
      await waitUntil(
        () => inbox(user),
        (all) => all.some(({ taskId }) => taskId === last.id),
      );
      await waitUntil(() => sql("select 1 from notifications where state = 'pending'"), { length: 0 });
      return (await inbox(user)).filter(({ taskTitle }) => taskTitle !== lastTitle);
    },
    chooseEmail: async ({ userId }, alsoInbox) => {
      const channels = alsoInbox ? ['inbox', 'email'] : ['email'];
      const text = 'update profiles set channels = $2 where id = $1';
      await queryOnce(cluster.databaseUrl('users'), text, [userId, channels]);
    },
    sql,
    metric: async (name) => {
      const text = await (await fetch(`${cluster.httpAddress('scheduler')}/metrics`)).text();
      const values = [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'gm'))].map(([, value]) =>
        Number(value),
      );
      return values.reduce((sum, value) => sum + value, 0);
    },
    stop: async () => {
      for (const client of [scheduler, notifications]) client.close();
      await database.end();
      await others.stop();
      await redis.close();
    },
  };
}
