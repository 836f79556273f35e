import {
  notificationKindToNumber,
  WebhookDeliveryState,
  type CreateWebhookRequest,
  type ListWebhookDeliveriesRequest,
  type RedeliverWebhookRequest,
  type RotateWebhookSecretRequest,
  type TestWebhookRequest,
  type UpdateWebhookRequest,
} from '#contract/scheduler/v1/notifications';
import { fieldTypes, parseRequest } from '#libs/errors';
import { z } from 'zod';
import { findUrlFault, type TargetRules } from '../domain/webhook-target.ts';
import type { CreateWebhookInput } from '../use-cases/create-webhook.ts';
import type { ListWebhookDeliveriesInput } from '../use-cases/list-webhook-deliveries.ts';
import type { RedeliverInput } from '../use-cases/redeliver-webhook.ts';
import type { RotateSecretInput } from '../use-cases/rotate-webhook-secret.ts';
import type { UpdateWebhookInput } from '../use-cases/update-webhook.ts';
import { notificationKinds, requestId } from './notifications.requests.ts';

/* The limits of notifications.proto, field by field. */

/** Kept as it came, but for spaces around it. */
const targetUrl = (rules: TargetRules) =>
  fieldTypes.text({ min: 1, max: 2048 }).transform((url, context) => {
    const fault = findUrlFault(url, rules);
    if (fault === undefined) return url;
    context.addIssue({ code: 'custom', message: fault });
    return z.NEVER;
  });

const fieldsOf = (rules: TargetRules) => ({ url: targetUrl(rules), description: fieldTypes.text({ max: 200 }), kinds: notificationKinds });

export function readCreateWebhook(request: CreateWebhookRequest, rules: TargetRules): CreateWebhookInput {
  const { webhook, requestId: id } = parseRequest(z.object({ webhook: z.object(fieldsOf(rules), 'must be set'), requestId }), request);
  return { ...webhook, requestId: id };
}

const changeable = ['url', 'description', 'kinds'] as const;
type Changeable = (typeof changeable)[number];
const isChangeable = (path: string): path is Changeable => (changeable as readonly string[]).includes(path);
const updateMask = z
  .array(z.string(), 'must be set')
  .refine((paths) => paths.length > 0 && paths.every(isChangeable), `must name one or more of ${changeable.join(', ')}, and nothing else`);

/** What is checked depends on the mask: other fields may hold anything, since they are not read. */
export function readUpdateWebhook(request: UpdateWebhookRequest, rules: TargetRules): UpdateWebhookInput {
  const named = new Set(request.updateMask);
  const fields = fieldsOf(rules);
  const ignored = z.unknown().transform(() => undefined);
  const webhook = z.object(
    {
      id: fieldTypes.uuid(),
      etag: z.string(),
      url: named.has('url') ? fields.url : ignored,
      description: named.has('description') ? fields.description : ignored,
      kinds: named.has('kinds') ? fields.kinds : ignored,
    },
    'must be set',
  );
  const { id, etag, url, description, kinds } = parseRequest(z.object({ webhook, updateMask }), request).webhook;
  return { webhookId: id, etag, change: { url, description, kinds: kinds?.map(notificationKindToNumber) } };
}

const idSchema = z.object({ webhookId: fieldTypes.uuid() });

export function readWebhookId(request: { webhookId: string }): string {
  return parseRequest(idSchema, request).webhookId;
}

const defaultGraceMs = 86_400_000;
const longestGraceMs = 7 * 86_400_000;
const grace = z
  .object({ seconds: z.bigint(), nanos: z.number() })
  .transform(({ seconds, nanos }) => Number(seconds) * 1_000 + Math.round(nanos / 1_000_000))
  .refine((ms) => ms >= 0 && ms <= longestGraceMs, 'must be 0 to 7 days')
  .optional();
const rotateSchema = z.object({ webhookId: fieldTypes.uuid(), grace, requestId });

export function readRotateWebhookSecret(request: RotateWebhookSecretRequest): RotateSecretInput {
  const { webhookId, grace: graceMs = defaultGraceMs, requestId: id } = parseRequest(rotateSchema, request);
  return { webhookId, graceMs, requestId: id };
}

const testSchema = z.object({ webhookId: fieldTypes.uuid(), requestId });

export function readTestWebhook(request: TestWebhookRequest): { webhookId: string; requestId: string } {
  return parseRequest(testSchema, request);
}

const redeliverSchema = z.object({ webhookId: fieldTypes.uuid(), deliveryId: fieldTypes.uuid(), requestId });

export function readRedeliverWebhook(request: RedeliverWebhookRequest): RedeliverInput {
  return parseRequest(redeliverSchema, request);
}

const allStates = [WebhookDeliveryState.PENDING, WebhookDeliveryState.DELIVERED, WebhookDeliveryState.STALE, WebhookDeliveryState.DEAD];
const logSchema = z.object({
  webhookId: fieldTypes.uuid(),
  pageSize: fieldTypes.pageSize({ fallback: 50, max: 200 }),
  pageToken: z.string(),
  states: z
    .array(z.string())
    .refine((states) => states.every((state) => (allStates as string[]).includes(state)), 'must hold nothing but states that the contract names')
    .transform((states) => allStates.filter((state) => states.includes(state))),
});

export function readListWebhookDeliveries(request: ListWebhookDeliveriesRequest): ListWebhookDeliveriesInput {
  return parseRequest(logSchema, request);
}
