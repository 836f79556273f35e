import { TriggerScheduleRequest, TriggerScheduleResponse } from '#contract/scheduler/v1/scheduler';
import { once } from '#libs/db';
import { currentContext, type UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { scheduleNotFound } from '../domain/schedule.errors.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'wakeDispatch'>;

export interface TriggerScheduleInput {
  scheduleId: string;
  requestId: string;
}

/** Records a run; a job follows as soon as the queue takes it. */
export async function triggerSchedule({ uow, newId, wakeDispatch }: Deps, actor: UserActor, input: TriggerScheduleInput): Promise<TriggerScheduleResponse> {
  const { scheduleId, requestId } = input;
  const { callId = '', traceParent = '' } = currentContext() ?? {};
  const id = newId();
  const response = await uow.run(
    async ({ schedules }) => {
      if (!(await schedules.exists(scheduleId))) throw scheduleNotFound(scheduleId);
      await schedules.addRun({ id, scheduleId, requestedBy: actor.userId, callId, traceParent });
      return { runId: id };
    },
    once({ userId: actor.userId, method: 'TriggerSchedule', requestId }, { scheduleId, requestId: '' }, TriggerScheduleRequest, TriggerScheduleResponse),
  );
  wakeDispatch();
  return response;
}
