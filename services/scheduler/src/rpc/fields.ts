import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { fieldTypes } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { z } from 'zod';

/** The fields of every request that changes something. */
export const mutation = { requestId: fieldTypes.idempotencyKey(), validateOnly: z.boolean() };

/** The fields of every list, by the name of its request. */
export const page = (request: string) => ({
  pageSize: fieldsOf(`taskflow.scheduler.v1.${request}`).pageSize(),
  pageToken: fieldTypes.pageToken(),
});

/** A list of values of an enum: in the order of the contract, each once. One violation for the whole list. */
export const enumValues = <T extends string>(named: readonly T[], what: string) =>
  z
    .array(z.string())
    .refine(
      (values) => values.every((value) => (named as readonly string[]).includes(value)),
      `must hold nothing but ${what} that the contract names`,
    )
    .transform((values) => named.filter((value) => values.includes(value)));

export const notificationKinds = enumValues(
  Object.values(NotificationKind).filter(
    (kind) => kind !== NotificationKind.UNSPECIFIED && kind !== NotificationKind.UNRECOGNIZED,
  ),
  'kinds',
);
