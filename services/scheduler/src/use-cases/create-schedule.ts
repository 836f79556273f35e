import { CreateScheduleRequest, CreateScheduleResponse, type Schedule } from '#contract/scheduler/v1/scheduler';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../deps.ts';
import { toDuration } from '../domain/duration.ts';
import { toOverlapPolicyMessage } from '../domain/overlap-policy.ts';
import { maxSchedules, scheduleExists, tooManySchedules } from '../domain/schedule.errors.ts';
import type { NewSchedule } from '../domain/schedule.repository.ts';
import { nextFireTime } from '../domain/timing.ts';
import { recordAction } from './record-action.ts';

type Deps = Pick<SchedulerDeps, 'uow' | 'newId' | 'logger'>;

export interface CreateScheduleInput {
  draft: Omit<NewSchedule, 'creatorId' | 'createTime' | 'nextFireTime'>;
  requestId: string;
  validateOnly: boolean;
  /** What the client asked for, without the fields that do not count. */
  body: CreateScheduleRequest;
}

export async function createSchedule(deps: Deps, actor: UserActor, { draft, requestId, validateOnly, body }: CreateScheduleInput): Promise<CreateScheduleResponse> {
  const carryOut = validateOnly ? deps.uow.rehearse : deps.uow.run;
  return carryOut(
    async ({ schedules, adminActions }) => {
      if ((await schedules.count()) >= maxSchedules) throw tooManySchedules();
      const schedule = begin(draft, actor, await schedules.now());
      if (!(await schedules.add(schedule))) throw scheduleExists(draft.id);
      if (!validateOnly) await recordAction(deps, adminActions, actor, { action: 'CreateSchedule', subject: draft.id });
      return { schedule: toMessage(schedule) };
    },
    once({ userId: actor.userId, method: 'CreateSchedule', requestId }, body, CreateScheduleRequest, CreateScheduleResponse),
  );
}

function begin(draft: CreateScheduleInput['draft'], actor: UserActor, now: Date): NewSchedule {
  const { cron, timeZone, intervalMs } = draft;
  const timing = cron === null ? { intervalMs: intervalMs ?? 0, anchor: now } : { cron, timeZone: timeZone ?? 'UTC' };
  return { ...draft, creatorId: actor.userId, createTime: now, nextFireTime: nextFireTime(timing, now) ?? null };
}

function toMessage(schedule: NewSchedule): Schedule {
  return {
    id: schedule.id,
    description: schedule.description,
    job: schedule.job,
    cron: schedule.cron ?? '',
    timeZone: schedule.timeZone ?? '',
    interval: schedule.intervalMs === null ? undefined : toDuration(schedule.intervalMs),
    overlapPolicy: toOverlapPolicyMessage(schedule.overlapPolicy),
    catchUpWindow: toDuration(schedule.catchUpWindowMs),
    builtIn: false,
    creatorId: schedule.creatorId,
    createTime: schedule.createTime,
    paused: false,
    nextRunTime: schedule.nextFireTime ?? undefined,
    lastMissedTime: undefined,
    lastRunTime: undefined,
    lastResult: '',
    lastRunFailed: false,
  };
}
