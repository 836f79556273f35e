import { BackfillScheduleRequest, BackfillScheduleResponse } from '#contract/scheduler/v1/scheduler';
import { currentContext, type UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import {
  backfillInFuture,
  backfillTooLong,
  maxBackfill,
  scheduleNotFound,
} from '../../domain/schedules/schedule.errors.ts';
import { newRun } from '../../domain/schedules/schedule.columns.ts';
import { listFireTimesWithin, type Timing } from '../../domain/schedules/timing.ts';
import { change, changesOf, type ChangeRequest } from '../change.ts';

const changeOf = changesOf('BackfillSchedule', BackfillScheduleRequest, BackfillScheduleResponse);

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'notifyDispatcher'>;

export interface BackfillScheduleInput extends ChangeRequest {
  scheduleId: string;
  startTime: Date;
  endTime: Date;
}

/** Records runs for past fire times that have none, as a tick does; the dispatcher starts them one after the other. */
export async function backfillSchedule(
  deps: Deps,
  actor: UserActor,
  input: BackfillScheduleInput,
): Promise<BackfillScheduleResponse> {
  const { scheduleId, startTime, endTime, validateOnly } = input;
  const { requestId: callId = '', traceParent = '' } = currentContext() ?? {};
  const response = await change(
    deps,
    actor,
    changeOf(input, { kind: 'schedule', id: scheduleId }),
    async ({ schedules, scheduleRuns }) => {
      const schedule = await schedules.lock(scheduleId);
      if (schedule === undefined) throw scheduleNotFound(scheduleId);
      const now = await schedules.now();
      if (endTime > now) throw backfillInFuture(now);
      const fireTimes = fireTimesOf(schedule.timing, { start: startTime, end: endTime });
      const origin = { requesterId: actor.userId, callId, traceParent, now };
      const createdCount = await scheduleRuns.add(
        fireTimes.map((fireTime) => newRun({ id: deps.newId(), scheduleId }, fireTime, origin)),
      );
      return { createdCount, existingCount: fireTimes.length - createdCount };
    },
  );
  if (!validateOnly) deps.notifyDispatcher();
  return response;
}

function fireTimesOf(timing: Timing, range: { start: Date; end: Date }): Date[] {
  const fireTimes = listFireTimesWithin(timing, range, maxBackfill + 1);
  const tooMany = fireTimes[maxBackfill];
  if (tooMany !== undefined) throw backfillTooLong(tooMany);
  return fireTimes;
}
