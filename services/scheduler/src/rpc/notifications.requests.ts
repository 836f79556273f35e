import { NotificationKind, type ListNotificationsRequest, type MarkNotificationsReadRequest } from '#contract/scheduler/v1/notifications';
import { fieldTypes, parseRequest } from '#libs/errors';
import { z } from 'zod';
import type { ListNotificationsInput } from '../use-cases/list-notifications.ts';
import type { MarkReadInput } from '../use-cases/mark-notifications-read.ts';

/* The limits of notifications.proto, field by field. */

const allKinds = Object.values(NotificationKind).filter((kind) => kind !== NotificationKind.UNSPECIFIED && kind !== NotificationKind.UNRECOGNIZED);

/** One violation for the whole list, however long it is; in the order of the contract, each once. */
export const notificationKinds = z
  .array(z.string())
  .refine((kinds) => kinds.every((kind) => (allKinds as string[]).includes(kind)), 'must hold nothing but kinds that the contract names')
  .transform((kinds) => allKinds.filter((kind) => kinds.includes(kind)));

export const requestId = z.string().regex(/^[A-Za-z0-9._-]{0,128}$/, 'must have 1 to 128 characters from A-Z a-z 0-9 . _ -, or be empty');
const optionalUuid = z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty');

const listSchema = z
  .object({
    pageSize: fieldTypes.pageSize({ fallback: 50, max: 500 }),
    pageToken: z.string(),
    unreadOnly: z.boolean(),
    kinds: notificationKinds,
    digestId: optionalUuid,
  })
  .check(({ value, issues }) => {
    const refuse = (field: 'unreadOnly' | 'kinds'): void => void issues.push({ code: 'custom', path: [field], message: 'must be unset with digest_id', input: value });
    if (value.digestId !== '' && value.unreadOnly) refuse('unreadOnly');
    if (value.digestId !== '' && value.kinds.length > 0) refuse('kinds');
  });

export function readListNotifications(request: ListNotificationsRequest): ListNotificationsInput {
  return parseRequest(listSchema, request);
}

const maxMarked = 500;
const markSchema = z
  .object({
    notificationIds: z.array(fieldTypes.uuid()).max(maxMarked, `must name at most ${maxMarked} notifications`),
    all: z.boolean(),
    deliveredUntil: z.date().optional(),
    requestId,
  })
  .check(({ value, issues }) => {
    const refuse = (field: string, message: string): void => void issues.push({ code: 'custom', path: [field], message, input: value });
    if (value.all && value.notificationIds.length > 0) refuse('notificationIds', 'must be empty with all');
    if (!value.all && value.notificationIds.length === 0) refuse('notificationIds', 'must name a notification, unless all is set');
    if (!value.all && value.deliveredUntil !== undefined) refuse('deliveredUntil', 'must be unset without all');
  });

export function readMarkNotificationsRead(request: MarkNotificationsReadRequest): MarkReadInput {
  const { notificationIds, deliveredUntil, requestId: id } = parseRequest(markSchema, request);
  return { notificationIds, deliveredUntil, requestId: id };
}
