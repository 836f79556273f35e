import type { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import type { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { requireUser, type Handlers } from '#libs/grpc';
import type { SchedulerDeps } from '../deps.ts';
import { listNotifications } from '../use-cases/list-notifications.ts';
import { listSchedules } from '../use-cases/list-schedules.ts';
import { triggerSchedule } from '../use-cases/trigger-schedule.ts';
import { readListNotifications, readTriggerSchedule } from './scheduler.requests.ts';

export function schedulerHandlers(deps: SchedulerDeps): Handlers<typeof SchedulerServiceService> {
  return {
    listSchedules: async () => listSchedules(deps),
    triggerSchedule: async (request, call) => triggerSchedule(deps, requireUser(call), readTriggerSchedule(request)),
  };
}

export function notificationsHandlers(deps: SchedulerDeps): Handlers<typeof NotificationsServiceService> {
  return {
    listNotifications: async (request, call) => listNotifications(deps, requireUser(call), readListNotifications(request)),
  };
}
