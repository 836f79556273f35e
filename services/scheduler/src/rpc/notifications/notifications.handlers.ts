import type {
  ListNotificationsRequest,
  MarkNotificationsReadRequest,
  NotificationsServiceService,
  WatchNotificationsRequest,
} from '#contract/scheduler/v1/notifications';
import { fieldTypes, flattenOneofs, parseRequest } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser, type Handlers } from '#libs/grpc';
import { z } from 'zod';
import type { SchedulerDeps } from '../../deps.ts';
import { getUnreadCount } from '../../use-cases/notifications/get-unread-count.ts';
import { listNotifications } from '../../use-cases/notifications/list-notifications.ts';
import { markNotificationsRead, type MarkReadInput } from '../../use-cases/notifications/mark-notifications-read.ts';
import { watchNotifications } from '../../use-cases/notifications/watch-notifications.ts';
import { mutation, notificationKinds, page } from '../fields.ts';

/** The caller's own inbox. */
export function notificationsHandlers(deps: SchedulerDeps) {
  return {
    listNotifications: async (request, call) =>
      listNotifications(deps, requireUser(call), readListNotifications(request)),
    getUnreadCount: async (_request, call) => getUnreadCount(deps, requireUser(call)),
    markNotificationsRead: async (request, call) =>
      markNotificationsRead(deps, requireUser(call), readMarkNotificationsRead(request)),
    watchNotifications: (request, call) =>
      watchNotifications(deps, requireUser(call), readWatchNotifications(request), call.signal),
  } satisfies Partial<Handlers<typeof NotificationsServiceService>>;
}

const listSchema = z.object({
  ...page('ListNotificationsRequest'),
  unreadOnly: z.boolean(),
  kinds: notificationKinds,
  digestId: z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty'),
});

/** The other filters are for the inbox. */
function readListNotifications(request: ListNotificationsRequest): z.output<typeof listSchema> {
  const { digestId, unreadOnly, kinds } = request;
  const set = [unreadOnly ? ['unread_only'] : [], kinds.length > 0 ? ['kinds'] : []].flat();
  const found = set.map((field) => ({ field, description: 'must be unset with digest_id' }));
  return parseRequest(listSchema, request, digestId === '' ? [] : found);
}

const ids = fieldsOf('taskflow.scheduler.v1.NotificationIds');
const markSchema = z.object({
  ids: z.object({ notificationIds: ids.uuids('notification_ids') }).optional(),
  all: z.object({ deliverEndTime: z.date().optional() }).optional(),
  ...mutation,
});

function readMarkNotificationsRead(request: MarkNotificationsReadRequest): MarkReadInput {
  const found = request.selection === undefined ? [{ field: 'selection', description: 'must be ids or all' }] : [];
  const { ids, all, requestId, validateOnly } = parseRequest(markSchema, flattenOneofs(request), found);
  if (ids === undefined) return { marking: { until: all?.deliverEndTime }, request };
  return {
    marking: { ids: ids.notificationIds },
    request: { selection: { $case: 'ids', value: ids }, requestId, validateOnly },
  };
}

const resumeToken = fieldsOf('taskflow.scheduler.v1.WatchNotificationsRequest').givenToken('resume_token');
const watchSchema = z.object({ resumeToken });

function readWatchNotifications(request: WatchNotificationsRequest): string {
  return parseRequest(watchSchema, request).resumeToken;
}
