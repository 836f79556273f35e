import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Schedule, ScheduleOverlapPolicy } from '#contract/scheduler/v1/scheduler';
import { until } from '#libs/devcluster';
import { startSchedulerCluster, type SchedulerCluster } from './start-cluster.ts';

const intervalMs = 2_000;
const scheduleId = 'every-other-second';

let service: SchedulerCluster;
beforeAll(async () => {
  service = await startSchedulerCluster({ replicas: { scheduler: 3 } });
  const schedule = Schedule.fromPartial({
    id: scheduleId,
    job: 'prune-records',
    interval: { seconds: BigInt(intervalMs / 1_000), nanos: 0 },
    overlapPolicy: ScheduleOverlapPolicy.BUFFER_ALL,
  });
  await service.scheduler.createSchedule({ schedule }, service.admin.as);
}, 120_000);
afterAll(() => service?.stop(), 60_000);

interface Run {
  fire_time: Date;
  create_time: Date;
  state: string;
}

const runs = () => service.sql<Run>('select fire_time, create_time, state from schedule_runs where schedule_id = $1 order by fire_time', [scheduleId]);
const gaps = (all: Run[]) => all.slice(1).map((run, index) => run.fire_time.getTime() - (all[index] as Run).fire_time.getTime());
/** The runs once so many more have ended. */
const after = async (more: number): Promise<Run[]> => {
  const ended = async () => (await runs()).filter(({ state }) => state === 'done').length;
  const wanted = (await ended()) + more;
  await until(ended, (count) => count >= wanted);
  return runs();
};
/** How often a job of the schedule ended, in all replicas. */
const ends = () => [0, 1, 2].flatMap((replica) => service.cluster.logs('scheduler', replica).split('\n')).filter((line) => line.includes('"run-schedule"') && line.includes('job completed')).length;

describe('a schedule with three replicas', () => {
  it('has exactly one run for each of ten ticks (E7, D34)', async () => {
    const all = await after(10);
    expect(gaps(all)).toEqual(gaps(all).map(() => intervalMs));
    // The two built-in schedules ran once at the start.
    expect(ends()).toBeLessThanOrEqual(all.length + 2);
  }, 60_000);

  it('ticks at most two intervals late when any replica is killed', async () => {
    for (const replica of [2, 1]) {
      const killedAt = Date.now();
      await service.cluster.kill('scheduler', 'SIGKILL', replica);
      const next = await until(runs, (all) => all.some((run) => run.create_time.getTime() > killedAt));
      const late = next.filter((run) => run.create_time.getTime() > killedAt).map((run) => run.create_time.getTime() - run.fire_time.getTime());
      expect(Math.max(...late)).toBeLessThan(2 * intervalMs);
    }
    await Promise.all([1, 2].map((replica) => service.cluster.start('scheduler', replica)));
  }, 90_000);

  it('has not noticed that Redis forgot everything (E14)', async () => {
    const before = (await runs()).length;
    await service.flushRedis();
    const all = await after(4);
    expect(all.length).toBeGreaterThanOrEqual(before + 3);
    expect(gaps(all)).toEqual(gaps(all).map(() => intervalMs));
  }, 60_000);

  it('makes up for a downtime, each fire time once, the oldest first (E8)', async () => {
    for (const replica of [0, 1, 2]) await service.cluster.kill('scheduler', 'SIGKILL', replica);
    const downAt = (await runs()).at(-1)?.fire_time.getTime() ?? 0;
    // Six hours in which nobody was there, of which the window lets the last hour count.
    await service.sql(`update schedules set create_time = create_time - interval '6 hours', next_fire_time = next_fire_time - interval '6 hours', catch_up_window_ms = 60000 where id = $1`, [scheduleId]);
    await service.sql('delete from schedule_runs where schedule_id = $1', [scheduleId]);
    await Promise.all([0, 1, 2].map((replica) => service.cluster.start('scheduler', replica)));
    const all = await after(30);
    expect(gaps(all)).toEqual(gaps(all).map(() => intervalMs));
    expect((all[0] as Run).fire_time.getTime()).toBeGreaterThan(downAt - 120_000);
    const started = await service.sql<{ fire_time: Date }>('select fire_time from schedule_runs where schedule_id = $1 and start_time is not null order by start_time', [scheduleId]);
    expect(started.map((run) => run.fire_time)).toEqual(started.map((run) => run.fire_time).toSorted((a, b) => a.getTime() - b.getTime()));
  }, 120_000);
});
