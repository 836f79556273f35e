import type { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { requireUser, type Handlers } from '#libs/grpc';
import type { SchedulerDeps } from '../deps.ts';
import { getUnreadCount } from '../use-cases/get-unread-count.ts';
import { listNotifications } from '../use-cases/list-notifications.ts';
import { markNotificationsRead } from '../use-cases/mark-notifications-read.ts';
import { watchNotifications } from '../use-cases/watch-notifications.ts';
import { readListNotifications, readMarkNotificationsRead } from './notifications.requests.ts';

export function notificationsHandlers(deps: SchedulerDeps): Handlers<typeof NotificationsServiceService> {
  return {
    listNotifications: async (request, call) => listNotifications(deps, requireUser(call), readListNotifications(request)),
    getUnreadCount: async (_request, call) => getUnreadCount(deps, requireUser(call)),
    markNotificationsRead: async (request, call) => markNotificationsRead(deps, requireUser(call), readMarkNotificationsRead(request)),
    watchNotifications: (request, call) => watchNotifications(deps, requireUser(call), request.resumeToken, call.signal),
  };
}
