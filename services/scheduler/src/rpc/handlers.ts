import type { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import type { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import type { Handlers } from '#libs/grpc';
import type { SchedulerDeps } from '../deps.ts';
import { eventsHandlers } from './events/events.handlers.ts';
import { jobsHandlers } from './jobs/jobs.handlers.ts';
import { notificationsHandlers } from './notifications/notifications.handlers.ts';
import { schedulesHandlers } from './schedules/schedules.handlers.ts';
import { webhooksHandlers } from './webhooks/webhooks.handlers.ts';

/** The methods for administrators. */
export function schedulerServiceHandlers(deps: SchedulerDeps): Handlers<typeof SchedulerServiceService> {
  return { ...schedulesHandlers(deps), ...jobsHandlers(deps), ...eventsHandlers(deps) };
}

/** The methods for users. */
export function notificationsServiceHandlers(deps: SchedulerDeps): Handlers<typeof NotificationsServiceService> {
  return { ...notificationsHandlers(deps), ...webhooksHandlers(deps) };
}
