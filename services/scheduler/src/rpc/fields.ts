import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { eventTypes, type EventType } from '../domain/webhooks/event-types.ts';
import { fieldTypes } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { z } from 'zod';

/** The fields of every request that changes something. */
export const mutation = { requestId: fieldTypes.idempotencyKey(), validateOnly: z.boolean() };

/** The fields of every list, by the name of its request. */
export function page(request: string) {
  const fields = fieldsOf(`taskflow.scheduler.v1.${request}`);
  return { pageSize: fields.pageSize(), pageToken: fields.pageToken() };
}

const unnamed = 'must be one of the values that the contract names';

/** A list of values of an enum: in the order of the contract, each once. */
export const enumValues = <T extends string>(named: readonly T[]) => fieldTypes.setOf(named, unnamed);

const allKinds = Object.values(NotificationKind).filter(
  (kind) => kind !== NotificationKind.UNSPECIFIED && kind !== NotificationKind.UNRECOGNIZED,
);
export const notificationKinds = enumValues(allKinds);

/** What a webhook may be sent of what happens. */
export const subscribableEvents = fieldTypes.setOf<EventType>(
  eventTypes,
  'must be a type that the contract names, of something that happens',
);

/** Those that a webhook may be sent. */
export const subscribableKinds = fieldTypes.setOf(
  allKinds.filter((kind) => kind !== NotificationKind.WEBHOOK_DISABLED),
  'must be a kind that the contract names, and that is sent to webhooks',
);
