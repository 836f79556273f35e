import type { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { requireUser, type Handlers } from '#libs/grpc';
import type { SchedulerDeps } from '../deps.ts';
import { backfillSchedule } from '../use-cases/backfill-schedule.ts';
import { createSchedule } from '../use-cases/create-schedule.ts';
import { deleteSchedule } from '../use-cases/delete-schedule.ts';
import { getSchedule } from '../use-cases/get-schedule.ts';
import { listScheduleRuns } from '../use-cases/list-schedule-runs.ts';
import { listSchedules } from '../use-cases/list-schedules.ts';
import { previewSchedule } from '../use-cases/preview-schedule.ts';
import { setSchedulePaused } from '../use-cases/set-schedule-paused.ts';
import { triggerSchedule } from '../use-cases/trigger-schedule.ts';
import { jobsHandlers } from './jobs.handlers.ts';
import {
  readBackfillSchedule,
  readCreateSchedule,
  readDeleteSchedule,
  readListScheduleRuns,
  readListSchedules,
  readPreviewSchedule,
  readScheduleId,
  readTriggerSchedule,
} from './schedule.requests.ts';

export function schedulerHandlers(deps: SchedulerDeps): Handlers<typeof SchedulerServiceService> {
  return {
    ...jobsHandlers(deps),
    createSchedule: async (request, call) => createSchedule(deps, requireUser(call), readCreateSchedule(request)),
    getSchedule: async (request) => getSchedule(deps, readScheduleId(request)),
    listSchedules: async (request, call) => listSchedules(deps, requireUser(call), readListSchedules(request)),
    pauseSchedule: async (request, call) => setSchedulePaused(deps, requireUser(call), { scheduleId: readScheduleId(request), paused: true }),
    resumeSchedule: async (request, call) => setSchedulePaused(deps, requireUser(call), { scheduleId: readScheduleId(request), paused: false }),
    triggerSchedule: async (request, call) => triggerSchedule(deps, requireUser(call), readTriggerSchedule(request)),
    backfillSchedule: async (request, call) => backfillSchedule(deps, requireUser(call), readBackfillSchedule(request)),
    deleteSchedule: async (request, call) => deleteSchedule(deps, requireUser(call), readDeleteSchedule(request)),
    listScheduleRuns: async (request, call) => listScheduleRuns(deps, requireUser(call), readListScheduleRuns(request)),
    previewSchedule: async (request) => previewSchedule(readPreviewSchedule(request)),
  };
}
