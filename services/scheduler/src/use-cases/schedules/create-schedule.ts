import { CreateScheduleRequest, CreateScheduleResponse } from '#contract/scheduler/v1/scheduler';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { maxSchedules, scheduleExists, tooManySchedules } from '../../domain/schedules/schedule.errors.ts';
import { neverRun, type ScheduleValues } from '../../domain/schedules/schedule.columns.ts';
import { nextFireTime } from '../../domain/schedules/timing.ts';
import { change, changesOf } from '../change.ts';

const changeOf = changesOf('CreateSchedule', CreateScheduleRequest, CreateScheduleResponse);

type Deps = Pick<SchedulerDeps, 'uow'>;

/** What administrators choose about a schedule. */
export type ScheduleDraft = Pick<
  ScheduleValues,
  'id' | 'description' | 'job' | 'cron' | 'timeZone' | 'intervalMs' | 'overlapPolicy' | 'catchUpWindowMs'
>;

export interface CreateScheduleInput {
  draft: ScheduleDraft;
  /** The client's request without the fields that are ignored. */
  request: CreateScheduleRequest;
}

export async function createSchedule(
  deps: Deps,
  actor: UserActor,
  { draft, request }: CreateScheduleInput,
): Promise<CreateScheduleResponse> {
  return change(
    deps,
    actor,
    changeOf(request, { kind: 'schedule', id: draft.id }),
    async ({ schedules, readSchedule }) => {
      if ((await schedules.count()) >= maxSchedules) throw tooManySchedules();
      const schedule = begin(draft, actor, await schedules.now());
      if (!(await schedules.add(schedule))) throw scheduleExists(draft.id);
      return { schedule: await readSchedule(draft.id) };
    },
  );
}

function begin(draft: ScheduleDraft, actor: UserActor, now: Date): ScheduleValues {
  const { cron, timeZone, intervalMs } = draft;
  const timing =
    cron === null ? { intervalMs: Number(intervalMs), anchor: now } : { cron, timeZone: timeZone ?? 'UTC' };
  return {
    ...draft,
    ...neverRun,
    builtIn: false,
    paused: false,
    creatorId: actor.userId,
    createTime: now,
    nextFireTime: nextFireTime(timing, now) ?? null,
  };
}
