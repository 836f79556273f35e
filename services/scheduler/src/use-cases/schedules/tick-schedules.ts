import { crashPoint } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { newRun } from '../../domain/schedules/schedule.columns.ts';
import { planTick } from '../../domain/schedules/tick.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'logger' | 'notifyDispatcher'>;

const batchSize = 20;
const byItself = { requesterId: null, callId: '', traceParent: '' };

/**
 * Records runs for the fire times that have come. Every replica asks; the lock on a schedule, and one row for each fire
 * time, make it one run. There is no leader, so the end of a process delays no tick, and Redis is not involved.
 */
export async function tickSchedules({ uow, newId, logger, notifyDispatcher }: Deps): Promise<{ again: boolean }> {
  const ticks = await uow.run(async ({ schedules, scheduleRuns }) => {
    const due = await schedules.lockDue(batchSize);
    const planned = due.map((schedule) => ({ schedule, tick: planTick(schedule) }));
    for (const { schedule, tick } of planned) {
      const origin = { ...byItself, now: schedule.now };
      await scheduleRuns.add(tick.runs.map((time) => newRun({ id: newId(), scheduleId: schedule.id }, time, origin)));
      await schedules.recordTick(schedule.id, tick);
    }
    if (due.length > 0) crashPoint('tick.before-commit');
    return planned;
  });
  if (ticks.length > 0) crashPoint('tick.after-commit');
  for (const { schedule, tick } of ticks) {
    if (tick.missed !== undefined)
      logger.warn({ scheduleId: schedule.id, fireTime: tick.missed }, 'fire times got no run');
  }
  if (ticks.some(({ tick }) => tick.runs.length > 0)) notifyDispatcher();
  const isBehind = ticks.some(({ schedule, tick }) => tick.next !== undefined && tick.next <= schedule.now);
  return { again: isBehind || ticks.length === batchSize };
}
