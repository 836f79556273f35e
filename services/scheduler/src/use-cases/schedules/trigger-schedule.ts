import { TriggerScheduleRequest, TriggerScheduleResponse } from '#contract/scheduler/v1/scheduler';
import { currentContext, type UserActor } from '#libs/runtime';
import type { Repositories, SchedulerDeps } from '../../deps.ts';
import { newRun } from '../../domain/schedules/schedule.columns.ts';
import { scheduleNotFound } from '../../domain/schedules/schedule.errors.ts';
import { change, changesOf, type ChangeRequest } from '../change.ts';

const changeOf = changesOf('TriggerSchedule', TriggerScheduleRequest, TriggerScheduleResponse);

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'queue' | 'notifyDispatcher'>;

/** The queue whose jobs do runs. */
const queueOfRuns = 'schedules';

export interface TriggerScheduleInput extends ChangeRequest {
  scheduleId: string;
}

/** Records a run; a job follows as soon as the queue accepts it. The response says what delays the run. */
export async function triggerSchedule(
  deps: Deps,
  actor: UserActor,
  input: TriggerScheduleInput,
): Promise<TriggerScheduleResponse> {
  const { scheduleId, validateOnly } = input;
  const { requestId: callId = '', traceParent = '' } = currentContext() ?? {};
  const id = deps.newId();
  const response = await change(
    deps,
    actor,
    changeOf(input, { kind: 'schedule', id: scheduleId }),
    async ({ schedules, scheduleRuns, pausedQueues }) => {
      if (!(await schedules.exists(scheduleId))) throw scheduleNotFound(scheduleId);
      const origin = { requesterId: actor.userId, callId, traceParent, now: await schedules.now() };
      await scheduleRuns.add([newRun({ id, scheduleId }, null, origin)]);
      return { runId: id, waitsFor: await findObstacle(deps, { pausedQueues, scheduleRuns }, { id, scheduleId }) };
    },
  );
  if (!validateOnly) deps.notifyDispatcher();
  return response;
}

/** '' when nothing is in the way. */
async function findObstacle(
  { queue }: Deps,
  { pausedQueues, scheduleRuns }: Pick<Repositories, 'pausedQueues' | 'scheduleRuns'>,
  { id, scheduleId }: { id: string; scheduleId: string },
): Promise<string> {
  if (await pausedQueues.isPaused(queueOfRuns)) return `the queue "${queueOfRuns}" is paused`;
  if (!queue.isReachable()) return 'Redis, which carries the jobs, is out of reach';
  const ahead = await scheduleRuns.findAhead(scheduleId, id);
  if (ahead === undefined) return '';
  const failure = ahead.lastFailure === undefined ? '' : `; the last try failed: ${ahead.lastFailure}`;
  return `the run ${ahead.runId} of the schedule has to end first${failure}`;
}
