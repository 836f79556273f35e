import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { planTick } from '../domain/tick.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'logger' | 'wakeDispatch'>;

const batchSize = 20;

/**
 * Records runs for the fire times that have come. Every replica asks; the lock on a schedule, and one row for each fire
 * time, make it one run. Nobody leads, so nobody's end delays a tick, and Redis has no part in it.
 */
export async function tickSchedules({ uow, newId, logger, wakeDispatch }: Deps): Promise<{ again: boolean }> {
  const ticks = await uow.run(async ({ schedules }) => {
    const due = await schedules.lockDue(batchSize);
    const planned = due.map((schedule) => ({ schedule, tick: planTick(schedule) }));
    for (const { schedule, tick } of planned) await schedules.recordTick(schedule.id, tick, newId);
    if (due.length > 0) crashPoint('tick.before-commit');
    return planned;
  });
  if (ticks.length > 0) crashPoint('tick.after-commit');
  for (const { schedule, tick } of ticks) {
    if (tick.missed !== undefined) logger.warn({ scheduleId: schedule.id, fireTime: tick.missed }, 'fire times got no run');
  }
  if (ticks.some(({ tick }) => tick.runs.length > 0)) wakeDispatch();
  const isBehind = ticks.some(({ schedule, tick }) => tick.next !== undefined && tick.next <= schedule.now);
  return { again: isBehind || ticks.length === batchSize };
}
