import type { Schedule } from '#contract/scheduler/v1/scheduler';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { scheduleNotFound } from '../domain/schedule.errors.ts';
import { nextFireTime } from '../domain/timing.ts';
import { recordAction } from './record-action.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'readSchedules' | 'newId' | 'logger'>;

/** Pauses or resumes. Truth is the database: it holds for all replicas from the commit on, and survives everything. */
export async function setSchedulePaused(deps: Deps, actor: UserActor, { scheduleId, paused }: { scheduleId: string; paused: boolean }): Promise<{ schedule: Schedule | undefined }> {
  await deps.uow.run(async ({ schedules, adminActions }) => {
    const schedule = await schedules.lock(scheduleId);
    if (schedule === undefined) throw scheduleNotFound(scheduleId);
    if (schedule.paused === paused) return;
    const next = paused ? undefined : nextFireTime(schedule.timing, await schedules.now());
    await schedules.setPaused(scheduleId, paused, next);
    await recordAction(deps, adminActions, actor, { action: paused ? 'PauseSchedule' : 'ResumeSchedule', subject: scheduleId });
  });
  const schedule = await deps.readSchedules.find(scheduleId);
  if (schedule === undefined) throw scheduleNotFound(scheduleId);
  return { schedule };
}
