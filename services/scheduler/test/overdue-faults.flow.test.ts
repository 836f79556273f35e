import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { NotificationChannel } from '#contract/users/v1/users';
import { testPostgresUrl, waitUntil } from '#dev/cluster';
import { Client } from 'pg';
import { startSchedulerCluster, type TestUser } from './start-cluster.ts';
import { onceEach, completed, receivedBy } from './received.ts';
import { dueAt, dueOn } from '../../tasks/test/due.ts';
import { untilInbox } from './waiting.ts';

const ordersFile = join(process.env['TASKFLOW_TEST_DIR'] ?? '', `orders-${process.pid}`);
const replicas = [0, 1];

const service = await startSchedulerCluster({
  replicas: { scheduler: replicas.length },
  env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000', TASKFLOW_CRASH_FILE: ordersFile },
});
const ada = await service.newUser('Ada');
afterAll(async () => {
  rmSync(ordersFile, { force: true });
  await service.stop();
});

const createOverdue = (count: number) => service.createOverdue(ada, count);
/** Frozen and killed processes take a while. */
const giveUpAfterMs = 100_000;
const update = (id: string, fields: Partial<Task>, mask: string) =>
  service.tasks.updateTask({ task: Task.fromPartial({ id, ...fields }), updateMask: [mask] }, ada.as);

/** 'T' while it is frozen. */
const stateOf = (replica: number) => {
  const pid = service.cluster.pid('scheduler', replica);
  return pid === undefined ? 'gone' : (/\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '');
};

const frozenReplica = async (): Promise<number> => {
  const [frozen] = await waitUntil(async () => replicas.filter((replica) => stateOf(replica) === 'T'), { length: 1 });
  return frozen as number;
};

describe('a replica that is frozen', () => {
  it.each([
    'deliver.before-record',
    'deliver.before-commit',
    'ingest.before-commit',
    'claim.after-commit.deliver-notifications',
  ])(
    'at %s past its locks, and thawed, changes nothing that other replicas have done',
    async (point) => {
      writeFileSync(ordersFile, `${point} SIGSTOP`);
      const tasks = await createOverdue(5);
      const frozen = await frozenReplica();
      const whileFrozen = await completed(service, tasks, giveUpAfterMs);
      await service.cluster.kill('scheduler', 'SIGCONT', frozen);
      // It takes part again.
      const later = await createOverdue(1);
      await completed(service, later, giveUpAfterMs);
      expect(whileFrozen).toEqual(onceEach(tasks));
      expect(await receivedBy(service, tasks)).toEqual(whileFrozen);
      const twice = await service.sql(
        'select notification_id from deliveries group by notification_id, channel having count(*) > 1',
      );
      expect(twice).toEqual([]);
    },
    400_000,
  );
});

describe('a worker that is frozen past the lock of its job', () => {
  it('finds the job done by another when it is thawed, and adds no second effect (E13)', async () => {
    writeFileSync(ordersFile, 'deliver.before-record SIGSTOP');
    const [task] = (await createOverdue(1)) as [Task];
    const frozen = await frozenReplica();
    const effect = () =>
      service.sql<{ job_id: string; attempts: number }>(
        `select n.id, n.job_id, n.state, n.deliver_time, n.feed_transaction, d.channel, d.outcome, d.attempts, d.create_time
         from notifications n join deliveries d on d.notification_id = n.id where n.task_id = $1`,
        [task.id],
      );
    await completed(service, [task], giveUpAfterMs);
    const byAnother = await effect();
    const [{ job_id: jobId, attempts } = { job_id: '', attempts: 0 }] = byAnother;
    const ends = () =>
      service.cluster
        .logs('scheduler', frozen)
        .split('\n')
        .filter((line) => line.includes(jobId) && line.includes('"durationMs"'));
    const endsWhileFrozen = ends().length;
    await service.cluster.kill('scheduler', 'SIGCONT', frozen);
    await waitUntil(async () => ends().length > endsWhileFrozen);
    // The same job, begun a second time: the lock of the frozen one had run out.
    expect(attempts).toBeGreaterThan(1);
    expect(byAnother).toMatchObject([{ state: 'delivered', channel: 'inbox', outcome: 'delivered' }]);
    expect(await effect()).toEqual(byAnother);
    expect((await service.inbox(ada)).filter(({ taskId }) => taskId === task.id)).toHaveLength(1);
    expect(await service.sql('select 1 from dead_letters where job_id = $1', [jobId])).toEqual([]);
  }, 400_000);
});

describe('PostgreSQL', () => {
  it('only delays when it ends all connections repeatedly', async () => {
    const server = new Client({ connectionString: testPostgresUrl() });
    await server.connect();
    const names = (['tasks', 'scheduler'] as const).map((name) =>
      new URL(service.cluster.databaseUrl(name)).pathname.slice(1),
    );
    const tasks = await createOverdue(40);
    for (let cut = 0; cut < 5; cut += 1) {
      // Only after connections have returned since the last cut.
      const others = `from pg_stat_activity where datname = any ($1) and application_name <> ''`;
      await waitUntil(
        async () => (await server.query(`select pg_terminate_backend(pid) ${others}`, [names])).rowCount ?? 0,
        (ended) => ended > 0,
      );
    }
    await server.end();
    expect(await completed(service, tasks, giveUpAfterMs)).toEqual(onceEach(tasks));
  }, 400_000);
});

describe('a task that has moved on before its delivery', () => {
  it.each<[string, (id: string) => Promise<unknown>]>([
    ['completed', (id) => update(id, { status: TaskStatus.COMPLETED }, 'status')],
    ['rescheduled', (id) => update(id, { ...dueAt(new Date(Date.now() + 3_600_000)) }, 'due_time')],
    ['deleted', (id) => service.tasks.deleteTask({ taskId: id }, ada.as)],
  ])(
    'is not delivered when it was %s, and counted as stale',
    async (_name, change) => {
      writeFileSync(ordersFile, 'claim.after-commit.deliver-notifications');
      const [task] = (await createOverdue(1)) as [Task];
      // Its job's id is committed, and the process that was to make the job has died.
      await waitUntil(
        async () => existsSync(ordersFile),
        (exists) => !exists,
      );
      await change(task.id);
      // It has removed the file before it dies: which one it is shows a moment later.
      const [dead] = (await waitUntil(
        async () => replicas.filter((replica) => service.cluster.pid('scheduler', replica) === undefined),
        { length: 1 },
      )) as [number];
      await service.cluster.start('scheduler', dead);
      expect(await completed(service, [task], giveUpAfterMs)).toEqual(onceEach([task], 'stale'));
    },
    400_000,
  );
});

describe('a task that was due on a day', () => {
  const yesterday = (timeZone: string) => Temporal.Now.plainDateISO(timeZone).subtract({ days: 1 }).toString();
  const setHour = async (hour: number, timeZone: string): Promise<TestUser> => {
    const user = await service.newUser('Bob');
    await service.choose(user, { overdueHour: hour, timeZone, channels: [NotificationChannel.INBOX] });
    return user;
  };
  const createDay = async (user: TestUser, dueZone: string): Promise<Task> =>
    service.createTask(user, { ...dueOn(yesterday(dueZone), dueZone) });
  const plannedOf = async (task: Task) =>
    (
      await service.sql<{ deliver_after: Date; state: string }>(
        'select deliver_after, state from notifications where task_id = $1',
        [task.id],
      )
    )[0];

  it('is overdue when its day ends, and delivered at the hour that its owner has chosen (B8)', async () => {
    // Far enough away to be still to come: the hour before the present one, the next time.
    const zone = 'Asia/Kolkata';
    const now = Temporal.Now.zonedDateTimeISO(zone);
    const hour = (now.hour + 23) % 24;
    const user = await setHour(hour, zone);
    const task = await createDay(user, 'Pacific/Kiritimati');
    const planned = await waitUntil(
      () => plannedOf(task),
      (row) => row !== undefined && Number.isFinite(Number(row.deliver_after)),
    );
    const dueTime = task.effectiveDueTime as Date;
    expect(
      Temporal.Instant.fromEpochMilliseconds(planned?.deliver_after.getTime() ?? 0).toZonedDateTimeISO(zone).hour,
    ).toBe(hour);
    expect(planned?.deliver_after.getTime()).toBeGreaterThanOrEqual(dueTime.getTime());
    expect(planned?.deliver_after.getTime()).toBeLessThan(dueTime.getTime() + 86_400_000);
    if ((planned?.deliver_after.getTime() ?? 0) > Date.now()) {
      expect(await service.inbox(user)).toEqual([]);
      await service.sql(`update notifications set deliver_after = now() where task_id = $1`, [task.id]);
    }
    await untilInbox(service, user, ({ taskId }) => taskId === task.id);
  });

  it('that was completed while it waited for the hour is not delivered', async () => {
    const user = await setHour(0, 'UTC');
    const task = await createDay(user, 'UTC');
    await waitUntil(
      () => plannedOf(task),
      (row) => row !== undefined,
    );
    await service.sql(
      `update notifications set deliver_after = now() + interval '1 hour' where task_id = $1 and state = 'pending'`,
      [task.id],
    );
    await service.setStatus(user, task.id, TaskStatus.COMPLETED);
    await service.sql(`update notifications set deliver_after = now() where task_id = $1 and state = 'pending'`, [
      task.id,
    ]);
    await waitUntil(
      () => plannedOf(task),
      (row) => row?.state !== 'pending',
    );
    // At midnight it may have been quicker than this test.
    expect(['stale', 'delivered']).toContain((await plannedOf(task))?.state);
  });
});
