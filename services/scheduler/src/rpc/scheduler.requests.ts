import type { ListNotificationsRequest } from '#contract/scheduler/v1/notifications';
import { fieldTypes, parseRequest } from '#libs/errors';
import { z } from 'zod';
import type { ListNotificationsInput } from '../use-cases/list-notifications.ts';

/* The limits of scheduler.proto, field by field. */

const listSchema = z.object({ pageSize: fieldTypes.pageSize({ fallback: 50, max: 500 }), pageToken: z.string() });

export function readListNotifications(request: ListNotificationsRequest): ListNotificationsInput {
  return parseRequest(listSchema, request);
}
