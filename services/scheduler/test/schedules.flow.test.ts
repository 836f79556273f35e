import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Schedule, ScheduleJob, ScheduleOverlapPolicy } from '#contract/scheduler/v1/scheduler';
import { CreateTaskRequest, type Task } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { retry } from '#dev/stubs';
import { startSchedulerCluster, type TestUser } from './start-cluster.ts';
import { dueAt } from '../../tasks/test/due.ts';

const intervalMs = 2_000;
const scheduleId = 'every-other-second';

const service = await startSchedulerCluster({ replicas: { scheduler: 3 } });
afterAll(service.stop);
const schedule = Schedule.fromPartial({
  id: scheduleId,
  job: ScheduleJob.PRUNE_RECORDS,
  recurrence: { $case: 'interval', value: { seconds: BigInt(intervalMs / 1_000), nanos: 0 } },
  overlapPolicy: ScheduleOverlapPolicy.BUFFER_ALL,
});
await service.scheduler.createSchedule({ schedule }, service.admin.as);

interface Run {
  fire_time: Date;
  create_time: Date;
  state: string;
}

const runs = () =>
  service.sql<Run>(
    'select fire_time, create_time, state from schedule_runs where schedule_id = $1 order by fire_time',
    [scheduleId],
  );
const gaps = (all: Run[]) =>
  all.slice(1).map((run, index) => run.fire_time.getTime() - (all[index] as Run).fire_time.getTime());
const ended = async () => (await runs()).filter(({ state }) => state === 'done').length;
/** The runs once so many have ended. */
const onceEnded = async (wanted: number): Promise<Run[]> => {
  await waitUntil(ended, (count) => count >= wanted);
  return runs();
};
/** The runs once so many more have ended. */
const after = async (more: number): Promise<Run[]> => onceEnded((await ended()) + more);
/** How often a job of the schedule ended, in all replicas. */
const ends = () =>
  [0, 1, 2]
    .flatMap((replica) => service.cluster.logs('scheduler', replica).split('\n'))
    .filter((line) => line.includes('"run-schedule"') && line.includes('job completed')).length;

/** The longest that this test itself waited for a word of the database while the work went on: for so long nothing moves on this machine. */
async function besideProbes<T>(work: () => Promise<T>): Promise<{ result: T; stallMs: number }> {
  let [busy, stallMs] = [true, 0];
  const probe = async (): Promise<void> => {
    while (busy) {
      const began = performance.now();
      await service.sql('select 1');
      await pause(20);
      stallMs = Math.max(stallMs, performance.now() - began);
    }
  };
  const probing = probe();
  const result = await work().finally(() => (busy = false));
  await probing;
  return { result, stallMs };
}

describe('a schedule with three replicas', () => {
  it('has exactly one run for each of ten ticks (E7, D34)', async () => {
    await after(10);
    // In this order, since the next tick comes when it comes.
    const endsBefore = ends();
    const all = await runs();
    expect(gaps(all)).toEqual(gaps(all).map(() => intervalMs));
    // The two built-in schedules ran once at the start.
    expect(endsBefore).toBeLessThanOrEqual(all.length + 2);
  });

  it('ticks at most two intervals late when any replica is killed', async () => {
    for (const replica of [2, 1]) {
      const killedAt = Date.now();
      const kill = async (): Promise<Run[]> => {
        await service.cluster.kill('scheduler', 'SIGKILL', replica);
        return waitUntil(runs, (all) => all.some((run) => run.create_time.getTime() > killedAt));
      };
      const { result: next, stallMs } = await besideProbes(kill);
      const late = next
        .filter((run) => run.create_time.getTime() > killedAt)
        .map((run) => run.create_time.getTime() - run.fire_time.getTime());
      expect(Math.max(...late)).toBeLessThan(2 * intervalMs + stallMs);
    }
    await Promise.all([1, 2].map((replica) => service.cluster.start('scheduler', replica)));
  }, 400_000);

  it('has not noticed that Redis forgot everything (E14)', async () => {
    const before = (await runs()).length;
    await service.flushRedis();
    // Also those that waited when Redis forgot them.
    const all = await onceEnded(before + 3);
    expect(gaps(all)).toEqual(gaps(all).map(() => intervalMs));
  });

  it('makes up for a downtime, each fire time and each overdue task once, the oldest first (E8)', async () => {
    for (const replica of [0, 1, 2]) await service.cluster.kill('scheduler', 'SIGKILL', replica);
    const ada = await service.newUser('Ada');
    // Six hours of due times, in no order.
    const hours = [3, 6, 1, 5, 2, 4];
    const late: Task[] = [];
    for (const hour of hours)
      late.push(await service.createTask(ada, { ...dueAt(new Date(Date.now() - hour * 3_600_000)) }));
    const downAt = ((await runs()).at(-1) as Run).fire_time.getTime();
    // The scheduler was down for six hours; the catch-up window covers the last one.
    await service.sql(
      `update schedules set create_time = create_time - interval '6 hours', next_fire_time = next_fire_time - interval '6 hours', catch_up_window_ms = 60000 where id = $1`,
      [scheduleId],
    );
    await service.sql('delete from schedule_runs where schedule_id = $1', [scheduleId]);
    await Promise.all([0, 1, 2].map((replica) => service.cluster.start('scheduler', replica)));
    // Some may have ended before all replicas are there.
    const all = await onceEnded(30);
    expect(gaps(all)).toEqual(gaps(all).map(() => intervalMs));
    expect((all[0] as Run).fire_time.getTime()).toBeGreaterThan(downAt - 120_000);
    await service.sweep();
    const told = () =>
      service.sql<{ task_id: string }>(
        "select task_id from notifications where recipient_id = $1 and state = 'delivered' order by event_id",
        [ada.userId],
      );
    await waitUntil(told, (rows) => rows.length >= late.length);
    const oldestFirst = late.toSorted((a, b) => Number(a.effectiveDueTime) - Number(b.effectiveDueTime));
    expect((await told()).map(({ task_id: id }) => id)).toEqual(oldestFirst.map(({ id }) => id));
    const started = await service.sql<{ fire_time: Date }>(
      'select fire_time from schedule_runs where schedule_id = $1 and start_time is not null order by start_time',
      [scheduleId],
    );
    expect(started.map((run) => run.fire_time)).toEqual(
      started.map((run) => run.fire_time).toSorted((a, b) => a.getTime() - b.getTime()),
    );
  }, 400_000);
});

describe('E2: the events of parallel writers, with three replicas that all read them', () => {
  const [writers, batches, size] = [4, 5, 500];

  it('become one notification each, none is skipped, and every replica measures how far behind it is', async () => {
    const people = await Promise.all(Array.from({ length: writers }, (_, index) => service.newUser(`Writer ${index}`)));
    const bob = await service.newUser('Bob');
    const write = async ({ as }: TestUser): Promise<string[]> => {
      const ids: string[] = [];
      for (let batch = 0; batch < batches; batch += 1) {
        const requests = Array.from({ length: size }, () =>
          CreateTaskRequest.fromPartial({ task: { title: 'Water the plants', assigneeId: bob.userId } }),
        );
        const requestId = randomUUID();
        ids.push(
          ...(await retry(() => service.tasks.batchCreateTasks({ requests, requestId }, as))).results.map(
            ({ result }) => (result?.$case === 'task' ? result.value.id : ''),
          ),
        );
      }
      return ids;
    };
    const created = (await Promise.all(people.map(write))).flat();
    const told = () =>
      service.sql<{ task_id: string }>(
        "select task_id from notifications where recipient_id = $1 and state = 'delivered' order by task_id",
        [bob.userId],
      );
    const count = () =>
      service.sql<{ count: number }>(
        "select count(*)::int as count from notifications where recipient_id = $1 and state = 'delivered'",
        [bob.userId],
      );
    await waitUntil(count, ([row]) => (row?.count ?? 0) >= created.length, 200_000);
    expect((await told()).map(({ task_id: id }) => id)).toEqual(created.toSorted());
    expect(
      await service.sql('select notification_id from deliveries group by notification_id, channel having count(*) > 1'),
    ).toEqual([]);
    for (const replica of [0, 1, 2]) {
      const page = async () => (await fetch(`${service.cluster.httpAddress('scheduler', replica)}/metrics`)).text();
      await waitUntil(page, (text) => /^event_consumer_lag_seconds\{[^}]*cursor="tasks"/m.test(text));
    }
  }, 400_000);

  it('continue when one of them cannot be handled: administrators see it as a dead letter, and it is handled once when it is retried', async () => {
    const [ada, bob] = [await service.newUser('Ada'), await service.newUser('Bob')];
    await service.sql(`create function refuse_poison() returns trigger language plpgsql as $$ begin
      if new.task_title = 'poison' then raise exception 'this one breaks'; end if; return new; end $$`);
    await service.sql(
      'create trigger refuse_poison before insert on notifications for each row execute function refuse_poison()',
    );
    const titles = ['before', 'poison', 'behind'];
    for (const title of titles) await service.createTask(ada, { title, assigneeId: bob.userId });
    const told = async () => (await service.inbox(bob)).map(({ taskTitle }) => taskTitle).sort();
    await waitUntil(told, (all) => all.length === 2);
    const { deadLetterEvents } = await waitUntil(
      () => service.scheduler.listDeadLetterEvents({}, service.admin.as),
      (answer) => answer.deadLetterEvents.length > 0,
    );
    expect([await told(), deadLetterEvents.length]).toEqual([['before', 'behind'], 1]);
    await service.sql('drop trigger refuse_poison on notifications');
    await service.scheduler.retryDeadLetterEvent({ eventId: deadLetterEvents[0]?.eventId ?? 0n }, service.admin.as);
    await waitUntil(told, (all) => all.length === titles.length);
    expect(await told()).toEqual(titles.toSorted());
  });
});
