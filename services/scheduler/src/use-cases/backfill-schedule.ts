import { BackfillScheduleRequest, BackfillScheduleResponse } from '#contract/scheduler/v1/scheduler';
import { once } from '#libs/db';
import { currentContext, type UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { backfillInFuture, backfillTooLong, maxBackfill, scheduleNotFound } from '../domain/schedule.errors.ts';
import { listFireTimesWithin, type Timing } from '../domain/timing.ts';
import { recordAction } from './record-action.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'logger' | 'wakeDispatch'>;

export interface BackfillScheduleInput {
  scheduleId: string;
  startTime: Date;
  endTime: Date;
  requestId: string;
  validateOnly: boolean;
}

/** Records the runs that fire times of the past have not got, as a tick does; the dispatcher lets one after the other go. */
export async function backfillSchedule(deps: Deps, actor: UserActor, input: BackfillScheduleInput): Promise<BackfillScheduleResponse> {
  const { scheduleId, startTime, endTime, requestId, validateOnly } = input;
  const { callId = '', traceParent = '' } = currentContext() ?? {};
  const carryOut = validateOnly ? deps.uow.rehearse : deps.uow.run;
  const response = await carryOut(
    async ({ schedules, adminActions }) => {
      const schedule = await schedules.lock(scheduleId);
      if (schedule === undefined) throw scheduleNotFound(scheduleId);
      const now = await schedules.now();
      if (endTime > now) throw backfillInFuture(now);
      const fireTimes = fireTimesOf(schedule.timing, { start: startTime, end: endTime });
      const created = await schedules.recordRuns(scheduleId, fireTimes, { requestedBy: actor.userId, callId, traceParent }, deps.newId);
      if (!validateOnly) await recordAction(deps, adminActions, actor, { action: 'BackfillSchedule', subject: scheduleId });
      return { created, existing: fireTimes.length - created };
    },
    once(
      { userId: actor.userId, method: 'BackfillSchedule', requestId },
      { scheduleId, startTime, endTime, requestId: '', validateOnly: false },
      BackfillScheduleRequest,
      BackfillScheduleResponse,
    ),
  );
  if (!validateOnly) deps.wakeDispatch();
  return response;
}

function fireTimesOf(timing: Timing, range: { start: Date; end: Date }): Date[] {
  const fireTimes = listFireTimesWithin(timing, range, maxBackfill + 1);
  const tooMany = fireTimes[maxBackfill];
  if (tooMany !== undefined) throw backfillTooLong(tooMany);
  return fireTimes;
}
