import type { NotificationsServiceService, WebhookDeliveryState } from '#contract/scheduler/v1/notifications';
import { fieldTypes, parseRequest } from '#libs/errors';
import { requireUser, type Handlers } from '#libs/grpc';
import { z } from 'zod';
import type { SchedulerDeps } from '../../deps.ts';
import { deliveryStates } from '../../domain/webhooks/webhook.columns.ts';
import { createWebhook } from '../../use-cases/webhooks/create-webhook.ts';
import { deleteWebhook } from '../../use-cases/webhooks/delete-webhook.ts';
import { enableWebhook } from '../../use-cases/webhooks/enable-webhook.ts';
import { getWebhook } from '../../use-cases/webhooks/get-webhook.ts';
import { listWebhookDeliveries } from '../../use-cases/webhooks/list-webhook-deliveries.ts';
import { listWebhooks } from '../../use-cases/webhooks/list-webhooks.ts';
import { redeliverWebhook } from '../../use-cases/webhooks/redeliver-webhook.ts';
import { rotateWebhookSecret } from '../../use-cases/webhooks/rotate-webhook-secret.ts';
import { testWebhook } from '../../use-cases/webhooks/test-webhook.ts';
import { updateWebhook } from '../../use-cases/webhooks/update-webhook.ts';
import { enumValues, mutation, page } from '../fields.ts';
import { replayWebhook } from '../../use-cases/webhooks/replay-webhook.ts';
import { createWebhookRequests, readReplayWebhook, readRotateWebhookSecret } from './webhooks.requests.ts';

/** The caller's own webhooks. */
export function webhooksHandlers(deps: SchedulerDeps) {
  const { readCreateWebhook, readUpdateWebhook } = createWebhookRequests(deps.webhooks.rules);
  return {
    createWebhook: async (request, call) => createWebhook(deps, requireUser(call), readCreateWebhook(request)),
    getWebhook: async (request, call) => ({
      webhook: await getWebhook(deps, requireUser(call), parseRequest(idSchema, request).webhookId),
    }),
    listWebhooks: async (request, call) => listWebhooks(deps, requireUser(call), parseRequest(listSchema, request)),
    updateWebhook: async (request, call) => updateWebhook(deps, requireUser(call), readUpdateWebhook(request)),
    deleteWebhook: async (request, call) =>
      deleteWebhook(deps, requireUser(call), parseRequest(currentSchema, request)),
    rotateWebhookSecret: async (request, call) =>
      rotateWebhookSecret(deps, requireUser(call), readRotateWebhookSecret(request)),
    enableWebhook: async (request, call) =>
      enableWebhook(deps, requireUser(call), parseRequest(currentSchema, request)),
    testWebhook: async (request, call) => testWebhook(deps, requireUser(call), parseRequest(testSchema, request)),
    listWebhookDeliveries: async (request, call) =>
      listWebhookDeliveries(deps, requireUser(call), parseRequest(listDeliveriesSchema, request)),
    redeliverWebhook: async (request, call) =>
      redeliverWebhook(deps, requireUser(call), parseRequest(redeliverSchema, request)),
    replayWebhook: async (request, call) => replayWebhook(deps, requireUser(call), readReplayWebhook(request)),
  } satisfies Partial<Handlers<typeof NotificationsServiceService>>;
}

const webhookId = fieldTypes.uuid();
const idSchema = z.object({ webhookId });
const listSchema = z.object(page('ListWebhooksRequest'));
const currentSchema = z.object({ webhookId, etag: z.string(), ...mutation });
const testSchema = z.object({ webhookId, ...mutation });
const redeliverSchema = z.object({ webhookId, deliveryId: fieldTypes.uuid(), ...mutation });
const listDeliveriesSchema = z.object({
  webhookId,
  ...page('ListWebhookDeliveriesRequest'),
  states: enumValues<WebhookDeliveryState>(Object.values(deliveryStates)),
});
