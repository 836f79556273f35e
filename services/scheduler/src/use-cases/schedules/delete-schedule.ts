import { DeleteScheduleRequest, DeleteScheduleResponse } from '#contract/scheduler/v1/scheduler';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { scheduleBuiltIn, scheduleChanged, scheduleNotFound } from '../../domain/schedules/schedule.errors.ts';
import { change, changesOf, type ChangeRequest } from '../change.ts';

const changeOf = changesOf('DeleteSchedule', DeleteScheduleRequest, DeleteScheduleResponse);

type Deps = Pick<SchedulerDeps, 'uow'>;

/** One schedule, as it must still be. */
export interface ScheduleInput extends ChangeRequest {
  scheduleId: string;
  /** '' = any. */
  etag: string;
}

/** Removes the schedule with its runs; the running job of one of them ends without a record. */
export async function deleteSchedule(
  deps: Deps,
  actor: UserActor,
  input: ScheduleInput,
): Promise<DeleteScheduleResponse> {
  const { scheduleId, etag } = input;
  return change(deps, actor, changeOf(input, { kind: 'schedule', id: scheduleId }), async ({ schedules }) => {
    const schedule = await schedules.lock(scheduleId);
    if (schedule === undefined) throw scheduleNotFound(scheduleId);
    if (schedule.builtIn) throw scheduleBuiltIn(scheduleId);
    if (etag !== '' && etag !== schedule.etag) throw scheduleChanged(scheduleId);
    await schedules.remove(scheduleId);
    return {};
  });
}
