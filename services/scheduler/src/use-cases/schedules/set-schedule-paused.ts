import {
  PauseScheduleRequest,
  PauseScheduleResponse,
  ResumeScheduleRequest,
  ResumeScheduleResponse,
} from '#contract/scheduler/v1/scheduler';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { scheduleChanged, scheduleNotFound } from '../../domain/schedules/schedule.errors.ts';
import { nextFireTime } from '../../domain/schedules/timing.ts';
import { change } from '../change.ts';
import type { ScheduleInput } from './delete-schedule.ts';

type Deps = Pick<SchedulerDeps, 'uow'>;

const methods = {
  PauseSchedule: { codecs: [PauseScheduleRequest, PauseScheduleResponse], paused: true },
  ResumeSchedule: { codecs: [ResumeScheduleRequest, ResumeScheduleResponse], paused: false },
} as const;

/** Pauses or resumes in the database: the state applies to all replicas from the commit on and survives restarts. */
export async function setSchedulePaused(
  deps: Deps,
  actor: UserActor,
  method: keyof typeof methods,
  input: ScheduleInput,
): Promise<PauseScheduleResponse> {
  const { scheduleId, etag } = input;
  const { codecs, paused } = methods[method];
  return change(
    deps,
    actor,
    { method, request: input, codecs, target: { kind: 'schedule', id: scheduleId } },
    async ({ schedules, readSchedule }) => {
      const schedule = await schedules.lock(scheduleId);
      if (schedule === undefined) throw scheduleNotFound(scheduleId);
      if (etag !== '' && etag !== schedule.etag) throw scheduleChanged(scheduleId);
      if (schedule.paused !== paused) {
        const next = paused ? undefined : nextFireTime(schedule.timing, await schedules.now());
        await schedules.setPaused(scheduleId, paused, next);
      }
      return { schedule: await readSchedule(scheduleId) };
    },
  );
}
