import { DeleteScheduleRequest, DeleteScheduleResponse } from '#contract/scheduler/v1/scheduler';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { scheduleBuiltIn, scheduleNotFound } from '../domain/schedule.errors.ts';
import { recordAction } from './record-action.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'logger'>;

export interface DeleteScheduleInput {
  scheduleId: string;
  requestId: string;
  validateOnly: boolean;
}

/** Removes the schedule with its runs; a job that is under way for one of them ends without a trace. */
export async function deleteSchedule(deps: Deps, actor: UserActor, { scheduleId, requestId, validateOnly }: DeleteScheduleInput): Promise<DeleteScheduleResponse> {
  const carryOut = validateOnly ? deps.uow.rehearse : deps.uow.run;
  return carryOut(
    async ({ schedules, adminActions }) => {
      const schedule = await schedules.lock(scheduleId);
      if (schedule === undefined) throw scheduleNotFound(scheduleId);
      if (schedule.builtIn) throw scheduleBuiltIn(scheduleId);
      await schedules.remove(scheduleId);
      if (!validateOnly) await recordAction(deps, adminActions, actor, { action: 'DeleteSchedule', subject: scheduleId });
      return {};
    },
    once({ userId: actor.userId, method: 'DeleteSchedule', requestId }, { scheduleId, requestId: '', validateOnly: false }, DeleteScheduleRequest, DeleteScheduleResponse),
  );
}
