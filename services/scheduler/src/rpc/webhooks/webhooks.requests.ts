import {
  CreateWebhookRequest,
  ReplayWebhookRequest,
  UpdateWebhookRequest,
  type RotateWebhookSecretRequest,
} from '#contract/scheduler/v1/notifications';
import {
  changedFields,
  fieldTypes,
  flattenOneofs,
  isMaskOf,
  maskRule,
  parseRequest,
  schemaPerFields,
} from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { toDuration } from '#libs/runtime';
import { z } from 'zod';
import { findUrlFault, type TargetRules } from '../../domain/webhooks/webhook-target.ts';
import type { RotateSecretInput } from '../../use-cases/webhooks/rotate-webhook-secret.ts';
import type { UpdateWebhookInput } from '../../use-cases/webhooks/update-webhook.ts';
import type { ReplayWebhookInput } from '../../use-cases/webhooks/replay-webhook.ts';
import { mutation, subscribableEvents, subscribableKinds } from '../fields.ts';

const webhook = fieldsOf('taskflow.scheduler.v1.Webhook');

/** Kept as it came, but for spaces around it. */
const targetUrl = (rules: TargetRules) =>
  webhook.text('url').transform((url, context) => {
    const fault = findUrlFault(url, rules);
    if (fault === undefined) return url;
    context.addIssue({ code: 'custom', message: fault });
    return z.NEVER;
  });

const writableBy = (rules: TargetRules) => ({
  url: targetUrl(rules),
  description: webhook.text('description'),
  kinds: subscribableKinds,
  events: subscribableEvents,
});

const changeable = ['url', 'description', 'kinds', 'events'] as const;
type Field = (typeof changeable)[number];
const fieldList = changeable.join(', ');
const updateMask = z
  .array(z.string())
  .refine((mask) => isMaskOf(changeable, mask), maskRule(changeable))
  .optional();

const ignored = z.unknown().transform(() => undefined);

/** Checks only these fields: the others are not read. */
function changeOf(fields: ReturnType<typeof writableBy>, named: readonly Field[]) {
  return z.object(
    {
      id: fieldTypes.uuid(),
      etag: z.string(),
      url: named.includes('url') ? fields.url : ignored,
      description: named.includes('description') ? fields.description : ignored,
      kinds: named.includes('kinds') ? fields.kinds : ignored,
      events: named.includes('events') ? fields.events : ignored,
    },
    'must be set',
  );
}

const updateOf = (webhook: ReturnType<typeof changeOf>) => z.object({ webhook, updateMask, ...mutation });

/** Reads the requests that hold a URL. Their schemas are built here, once. */
export interface WebhookRequests {
  readCreateWebhook(request: CreateWebhookRequest): CreateWebhookRequest;
  readUpdateWebhook(request: UpdateWebhookRequest): UpdateWebhookInput;
}

export function createWebhookRequests(rules: TargetRules): WebhookRequests {
  const fields = writableBy(rules);
  const created = z
    .object(
      { ...fields, projectId: z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty') },
      'must be set',
    )
    .refine(({ projectId, events }) => projectId === '' || events.length > 0, {
      path: ['events'],
      message: 'must not be empty with a project_id',
    });
  const createSchema = z.object({ webhook: created, ...mutation });
  const updateSchemaOf = schemaPerFields(changeable, (named) => updateOf(changeOf(fields, named)));
  const emptySchema = updateOf(changeOf(fields, []).refine(() => false, `must have one or more of ${fieldList} set`));
  return {
    readCreateWebhook: (request) => CreateWebhookRequest.fromPartial(parseRequest(createSchema, request)),
    readUpdateWebhook: (request) => {
      const { updateMask: mask = [] } = request;
      const named = changedFields(changeable, mask, (field) => (request.webhook?.[field].length ?? 0) > 0);
      const isEmpty = named.length === 0 && mask.length === 0;
      const parsed = parseRequest(isEmpty ? emptySchema : updateSchemaOf(named), request);
      const { id, etag, url, description, kinds, events } = parsed.webhook;
      return {
        webhookId: id,
        etag,
        change: { url, description, kinds, events },
        request: UpdateWebhookRequest.fromPartial({ ...parsed, updateMask: named.sort() }),
      };
    },
  };
}

const replaySchema = z.object({
  webhookId: fieldTypes.uuid(),
  deliveryId: fieldTypes.uuid().optional(),
  startTime: z.date().optional(),
  etag: z.string(),
  ...mutation,
});

export function readReplayWebhook(request: ReplayWebhookRequest): ReplayWebhookInput {
  const missing =
    request.start === undefined ? [{ field: 'start', description: 'one of delivery_id, start_time must be set' }] : [];
  const { webhookId, etag, deliveryId, startTime, ...rest } = parseRequest(
    replaySchema,
    flattenOneofs(request),
    missing,
  );
  const asked = { webhookId, etag, ...rest };
  if (deliveryId !== undefined) {
    const start = { $case: 'deliveryId', value: deliveryId } as const;
    return { webhookId, etag, start: { deliveryId }, request: ReplayWebhookRequest.fromPartial({ ...asked, start }) };
  }
  const time = startTime ?? new Date(0);
  const start = { $case: 'startTime', value: time } as const;
  return { webhookId, etag, start: { time }, request: ReplayWebhookRequest.fromPartial({ ...asked, start }) };
}

const defaultGraceMs = 86_400_000;
const grace = fieldsOf('taskflow.scheduler.v1.RotateWebhookSecretRequest').span('grace').optional();
const rotateSchema = z.object({ webhookId: fieldTypes.uuid(), etag: z.string(), grace, ...mutation });

export function readRotateWebhookSecret(request: RotateWebhookSecretRequest): RotateSecretInput {
  const { grace: graceMs = defaultGraceMs, ...rest } = parseRequest(rotateSchema, request);
  return { graceMs, request: { ...rest, grace: toDuration(graceMs) } };
}
