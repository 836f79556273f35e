import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { NotificationChannel, User, UsersServiceService } from '#contract/users/v1/users';
import { testPostgresUrl, until } from '#libs/devcluster';
import { openPublicClient } from '#libs/grpc';
import { Client } from 'pg';
import { anHourAgo, startSchedulerCluster, type SchedulerCluster, type TestUser } from './start-cluster.ts';
import { onceEach, settled, toldOf } from './told.ts';

const ordersFile = join(process.env['TASKFLOW_TEST_DIR'] ?? '', `orders-${process.pid}`);
const replicas = [0, 1];

let service: SchedulerCluster;
let ada: TestUser;
beforeAll(async () => {
  service = await startSchedulerCluster({ replicas: { scheduler: replicas.length }, env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000', TASKFLOW_CRASH_FILE: ordersFile } });
  ada = await service.newUser('Ada');
});
afterAll(async () => {
  rmSync(ordersFile, { force: true });
  await service?.stop();
});

const createOverdue = (count: number) => Promise.all(Array.from({ length: count }, () => service.createTask(ada, { dueTime: anHourAgo() })));
/** Frozen and killed processes take a while. */
const patienceMs = 100_000;
const update = (id: string, fields: Partial<Task>, mask: string) => service.tasks.updateTask({ task: Task.fromPartial({ id, ...fields }), updateMask: [mask] }, ada.as);

/** 'T' while it is frozen. */
const stateOf = (replica: number) => {
  const pid = service.cluster.pid('scheduler', replica);
  return pid === undefined ? 'gone' : (/\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '');
};

const frozenReplica = async (): Promise<number> => {
  const [frozen] = await until(async () => replicas.filter((replica) => stateOf(replica) === 'T'), (stopped) => stopped.length === 1);
  return frozen as number;
};

describe('a replica that is frozen', () => {
  it.each(['deliver.before-record', 'deliver.before-commit', 'ingest.before-commit', 'claim.after-commit'])('at %s past its locks, and thawed, changes nothing that others have done', async (point) => {
    writeFileSync(ordersFile, `${point} SIGSTOP`);
    const tasks = await createOverdue(5);
    const frozen = await frozenReplica();
    const whileFrozen = await settled(service, tasks, patienceMs);
    await service.cluster.kill('scheduler', 'SIGCONT', frozen);
    // It takes part again.
    const later = await createOverdue(1);
    await settled(service, later, patienceMs);
    expect(whileFrozen).toEqual(onceEach(tasks));
    expect(await toldOf(service, tasks)).toEqual(whileFrozen);
    const twice = await service.sql('select notification_id from deliveries group by notification_id, channel having count(*) > 1');
    expect(twice).toEqual([]);
  }, 400_000);
});

describe('a worker that is frozen past the lock of its job', () => {
  it('finds the job done by another when it is thawed, and adds nothing to its one effect (E13)', async () => {
    writeFileSync(ordersFile, 'deliver.before-record SIGSTOP');
    const [task] = (await createOverdue(1)) as [Task];
    const frozen = await frozenReplica();
    const effect = () =>
      service.sql<{ job_id: string; attempts: number }>(
        `select n.id, n.job_id, n.state, n.deliver_time, n.feed_transaction, d.channel, d.outcome, d.attempts, d.create_time
         from notifications n join deliveries d on d.notification_id = n.id where n.task_id = $1`,
        [task.id],
      );
    await settled(service, [task], patienceMs);
    const byAnother = await effect();
    const [{ job_id: jobId, attempts } = { job_id: '', attempts: 0 }] = byAnother;
    const ends = () => service.cluster.logs('scheduler', frozen).split('\n').filter((line) => line.includes(jobId) && line.includes('"durationMs"'));
    const endsWhileFrozen = ends().length;
    await service.cluster.kill('scheduler', 'SIGCONT', frozen);
    await until(async () => ends().length, (count) => count > endsWhileFrozen);
    // The same job, begun a second time: the lock of the frozen one had run out.
    expect(attempts).toBeGreaterThan(1);
    expect(byAnother).toMatchObject([{ state: 'delivered', channel: 'inbox', outcome: 'delivered' }]);
    expect(await effect()).toEqual(byAnother);
    expect((await service.inbox(ada)).filter(({ taskId }) => taskId === task.id)).toHaveLength(1);
    expect(await service.sql('select 1 from dead_letters where job_id = $1', [jobId])).toEqual([]);
  }, 400_000);
});

describe('PostgreSQL', () => {
  it('that ends all connections, again and again, only delays', async () => {
    const server = new Client({ connectionString: testPostgresUrl() });
    await server.connect();
    const names = (['tasks', 'scheduler'] as const).map((name) => new URL(service.cluster.databaseUrl(name)).pathname.slice(1));
    const tasks = await createOverdue(40);
    for (let cut = 0; cut < 5; cut += 1) {
      // Only when somebody has come back since the last time.
      const others = `from pg_stat_activity where datname = any ($1) and application_name <> ''`;
      await until(async () => (await server.query(`select pg_terminate_backend(pid) ${others}`, [names])).rowCount ?? 0, (ended) => ended > 0);
    }
    await server.end();
    expect(await settled(service, tasks, patienceMs)).toEqual(onceEach(tasks));
  }, 400_000);
});

describe('a task that has moved on before its delivery', () => {
  it.each<[string, (id: string) => Promise<unknown>]>([
    ['completed', (id) => update(id, { status: TaskStatus.COMPLETED }, 'status')],
    ['rescheduled', (id) => update(id, { dueTime: new Date(Date.now() + 3_600_000) }, 'due_time')],
    ['deleted', (id) => service.tasks.deleteTask({ taskId: id }, ada.as)],
  ])('is not told when it was %s, and counted as stale', async (_name, change) => {
    writeFileSync(ordersFile, 'claim.after-commit');
    const [task] = (await createOverdue(1)) as [Task];
    // Its job's id is committed, and the process that was to make the job has died.
    await until(async () => existsSync(ordersFile), (exists) => !exists);
    await change(task.id);
    // It has removed the file before it dies: which one it is shows a moment later.
    const [dead] = (await until(async () => replicas.filter((replica) => service.cluster.pid('scheduler', replica) === undefined), (gone) => gone.length === 1)) as [number];
    await service.cluster.start('scheduler', dead);
    expect(await settled(service, [task], patienceMs)).toEqual(onceEach([task], 'stale'));
  }, 400_000);
});

describe('a task that was due on a day', () => {
  const yesterday = (timeZone: string) => Temporal.Now.plainDateISO(timeZone).subtract({ days: 1 }).toString();
  const setHour = async (hour: number, timeZone: string): Promise<TestUser> => {
    const user = await service.newUser('Bob');
    const users = openPublicClient(UsersServiceService, service.cluster.address('users'));
    const wish = User.fromPartial({ id: user.userId, overdueHour: hour, timeZone, channels: [NotificationChannel.INBOX] });
    await users.updateUser({ user: wish, updateMask: ['overdue_hour', 'time_zone', 'channels'] }, user.as);
    users.close();
    return user;
  };
  const createDay = async (user: TestUser, dueZone: string): Promise<Task> => service.createTask(user, { dueDate: yesterday(dueZone), dueZone });
  const plannedOf = async (task: Task) => (await service.sql<{ deliver_after: Date; state: string }>('select deliver_after, state from notifications where task_id = $1', [task.id]))[0];

  it('is overdue when its day ends, and told at the hour that its owner has chosen (B8)', async () => {
    // Far enough away to be still to come: the hour before the present one, the next time.
    const zone = 'Asia/Kolkata';
    const now = Temporal.Now.zonedDateTimeISO(zone);
    const hour = (now.hour + 23) % 24;
    const user = await setHour(hour, zone);
    const task = await createDay(user, 'Pacific/Kiritimati');
    const planned = await until(() => plannedOf(task), (row) => row !== undefined && Number.isFinite(Number(row.deliver_after)));
    const dueTime = task.dueTime as Date;
    expect(Temporal.Instant.fromEpochMilliseconds(planned?.deliver_after.getTime() ?? 0).toZonedDateTimeISO(zone).hour).toBe(hour);
    expect(planned?.deliver_after.getTime()).toBeGreaterThanOrEqual(dueTime.getTime());
    expect(planned?.deliver_after.getTime()).toBeLessThan(dueTime.getTime() + 86_400_000);
    if ((planned?.deliver_after.getTime() ?? 0) > Date.now()) {
      expect(await service.inbox(user)).toEqual([]);
      await service.sql(`update notifications set deliver_after = now() where task_id = $1`, [task.id]);
    }
    await until(() => service.inbox(user), (all) => all.some(({ taskId }) => taskId === task.id));
  });

  it('that was completed while it waited for the hour is not told', async () => {
    const user = await setHour(0, 'UTC');
    const task = await createDay(user, 'UTC');
    await until(() => plannedOf(task), (row) => row !== undefined);
    await service.sql(`update notifications set deliver_after = now() + interval '1 hour' where task_id = $1 and state = 'pending'`, [task.id]);
    await service.tasks.updateTask({ task: Task.fromPartial({ id: task.id, status: TaskStatus.COMPLETED }), updateMask: ['status'] }, user.as);
    await service.sql(`update notifications set deliver_after = now() where task_id = $1 and state = 'pending'`, [task.id]);
    await until(() => plannedOf(task), (row) => row?.state !== 'pending');
    // At midnight it may have been quicker than this test.
    expect(['stale', 'delivered']).toContain((await plannedOf(task))?.state);
  });
});
