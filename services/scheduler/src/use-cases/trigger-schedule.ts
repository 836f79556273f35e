import { TriggerScheduleRequest, TriggerScheduleResponse } from '#contract/scheduler/v1/scheduler';
import { once } from '#libs/db';
import { currentContext, type UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { scheduleNotFound } from '../domain/schedule.errors.ts';
import { recordAction } from './record-action.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'logger' | 'wakeDispatch'>;

export interface TriggerScheduleInput {
  scheduleId: string;
  requestId: string;
}

/** Records a run; a job follows as soon as the queue takes it. */
export async function triggerSchedule(deps: Deps, actor: UserActor, input: TriggerScheduleInput): Promise<TriggerScheduleResponse> {
  const { uow, newId, wakeDispatch } = deps;
  const { scheduleId, requestId } = input;
  const { callId = '', traceParent = '' } = currentContext() ?? {};
  const id = newId();
  const response = await uow.run(
    async ({ schedules, scheduleRuns, adminActions }) => {
      if (!(await schedules.exists(scheduleId))) throw scheduleNotFound(scheduleId);
      await scheduleRuns.add({ id, scheduleId, requestedBy: actor.userId, callId, traceParent });
      await recordAction(deps, adminActions, actor, { action: 'TriggerSchedule', subject: scheduleId });
      return { runId: id };
    },
    once({ userId: actor.userId, method: 'TriggerSchedule', requestId }, { scheduleId, requestId: '' }, TriggerScheduleRequest, TriggerScheduleResponse),
  );
  wakeDispatch();
  return response;
}
