import type { BackfillScheduleRequest, SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser, type Handlers } from '#libs/grpc';
import { z } from 'zod';
import type { SchedulerDeps } from '../../deps.ts';
import { backfillSchedule } from '../../use-cases/schedules/backfill-schedule.ts';
import { createSchedule } from '../../use-cases/schedules/create-schedule.ts';
import { deleteSchedule } from '../../use-cases/schedules/delete-schedule.ts';
import { getSchedule } from '../../use-cases/schedules/get-schedule.ts';
import { listScheduleRuns } from '../../use-cases/schedules/list-schedule-runs.ts';
import { listSchedules } from '../../use-cases/schedules/list-schedules.ts';
import { previewSchedule } from '../../use-cases/schedules/preview-schedule.ts';
import { setSchedulePaused } from '../../use-cases/schedules/set-schedule-paused.ts';
import { triggerSchedule } from '../../use-cases/schedules/trigger-schedule.ts';
import { mutation, page } from '../fields.ts';
import { readCreateSchedule, readPreviewSchedule } from './schedules.requests.ts';

export function schedulesHandlers(deps: SchedulerDeps) {
  return {
    createSchedule: async (request, call) => createSchedule(deps, requireUser(call), readCreateSchedule(request)),
    getSchedule: async (request) => getSchedule(deps, parseRequest(idSchema, request).scheduleId),
    listSchedules: async (request, call) => listSchedules(deps, requireUser(call), parseRequest(listSchema, request)),
    pauseSchedule: async (request, call) =>
      setSchedulePaused(deps, requireUser(call), 'PauseSchedule', parseRequest(currentSchema, request)),
    resumeSchedule: async (request, call) =>
      setSchedulePaused(deps, requireUser(call), 'ResumeSchedule', parseRequest(currentSchema, request)),
    triggerSchedule: async (request, call) =>
      triggerSchedule(deps, requireUser(call), parseRequest(triggerSchema, request)),
    backfillSchedule: async (request, call) => backfillSchedule(deps, requireUser(call), readBackfillSchedule(request)),
    deleteSchedule: async (request, call) =>
      deleteSchedule(deps, requireUser(call), parseRequest(currentSchema, request)),
    listScheduleRuns: async (request, call) =>
      listScheduleRuns(deps, requireUser(call), parseRequest(listRunsSchema, request)),
    previewSchedule: async (request) => previewSchedule(deps, readPreviewSchedule(request)),
  } satisfies Partial<Handlers<typeof SchedulerServiceService>>;
}

const scheduleId = fieldsOf('taskflow.scheduler.v1.GetScheduleRequest').text('schedule_id');
const idSchema = z.object({ scheduleId });
const listSchema = z.object(page('ListSchedulesRequest'));
const listRunsSchema = z.object({ scheduleId, ...page('ListScheduleRunsRequest') });
const triggerSchema = z.object({ scheduleId, ...mutation });
const currentSchema = z.object({ scheduleId, etag: z.string(), ...mutation });
const backfill = fieldsOf('taskflow.scheduler.v1.BackfillScheduleRequest');
const backfillSchema = z.object({
  scheduleId,
  startTime: backfill.time('start_time'),
  endTime: backfill.time('end_time'),
  ...mutation,
});

function readBackfillSchedule(request: BackfillScheduleRequest): z.output<typeof backfillSchema> {
  const { startTime, endTime } = request;
  const isEmpty = startTime !== undefined && endTime !== undefined && endTime <= startTime;
  const found = isEmpty ? [{ field: 'end_time', description: 'must be after start_time' }] : [];
  return parseRequest(backfillSchema, request, found);
}
