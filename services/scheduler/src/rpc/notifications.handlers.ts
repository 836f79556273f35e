import type { NotificationsServiceService } from '#contract/scheduler/v1/notifications';
import { requireUser, type Handlers } from '#libs/grpc';
import type { SchedulerDeps } from '../deps.ts';
import { createWebhook } from '../use-cases/create-webhook.ts';
import { deleteWebhook } from '../use-cases/delete-webhook.ts';
import { enableWebhook } from '../use-cases/enable-webhook.ts';
import { getUnreadCount } from '../use-cases/get-unread-count.ts';
import { getWebhook } from '../use-cases/get-webhook.ts';
import { listNotifications } from '../use-cases/list-notifications.ts';
import { listWebhookDeliveries } from '../use-cases/list-webhook-deliveries.ts';
import { listWebhooks } from '../use-cases/list-webhooks.ts';
import { markNotificationsRead } from '../use-cases/mark-notifications-read.ts';
import { redeliverWebhook } from '../use-cases/redeliver-webhook.ts';
import { rotateWebhookSecret } from '../use-cases/rotate-webhook-secret.ts';
import { testWebhook } from '../use-cases/test-webhook.ts';
import { updateWebhook } from '../use-cases/update-webhook.ts';
import { watchNotifications } from '../use-cases/watch-notifications.ts';
import { readListNotifications, readMarkNotificationsRead } from './notifications.requests.ts';
import {
  readCreateWebhook,
  readListWebhookDeliveries,
  readRedeliverWebhook,
  readRotateWebhookSecret,
  readTestWebhook,
  readUpdateWebhook,
  readWebhookId,
} from './webhooks.requests.ts';

export function notificationsHandlers(deps: SchedulerDeps): Handlers<typeof NotificationsServiceService> {
  return {
    listNotifications: async (request, call) => listNotifications(deps, requireUser(call), readListNotifications(request)),
    getUnreadCount: async (_request, call) => getUnreadCount(deps, requireUser(call)),
    markNotificationsRead: async (request, call) => markNotificationsRead(deps, requireUser(call), readMarkNotificationsRead(request)),
    watchNotifications: (request, call) => watchNotifications(deps, requireUser(call), request.resumeToken, call.signal),
    ...webhookHandlers(deps),
  };
}

function webhookHandlers(deps: SchedulerDeps) {
  const { rules } = deps.webhooks;
  return {
    createWebhook: async (request, call) => createWebhook(deps, requireUser(call), readCreateWebhook(request, rules)),
    getWebhook: async (request, call) => ({ webhook: await getWebhook(deps, requireUser(call), readWebhookId(request)) }),
    listWebhooks: async (_request, call) => listWebhooks(deps, requireUser(call)),
    updateWebhook: async (request, call) => ({ webhook: await updateWebhook(deps, requireUser(call), readUpdateWebhook(request, rules)) }),
    deleteWebhook: async (request, call) => {
      await deleteWebhook(deps, requireUser(call), readWebhookId(request));
      return {};
    },
    rotateWebhookSecret: async (request, call) => rotateWebhookSecret(deps, requireUser(call), readRotateWebhookSecret(request)),
    enableWebhook: async (request, call) => ({ webhook: await enableWebhook(deps, requireUser(call), readWebhookId(request)) }),
    testWebhook: async (request, call) => testWebhook(deps, requireUser(call), readTestWebhook(request)),
    listWebhookDeliveries: async (request, call) => listWebhookDeliveries(deps, requireUser(call), readListWebhookDeliveries(request)),
    redeliverWebhook: async (request, call) => redeliverWebhook(deps, requireUser(call), readRedeliverWebhook(request)),
  } satisfies Partial<Handlers<typeof NotificationsServiceService>>;
}
