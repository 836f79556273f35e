import type { ListNotificationsRequest } from '#contract/scheduler/v1/notifications';
import type { TriggerScheduleRequest } from '#contract/scheduler/v1/scheduler';
import { fieldTypes, parseRequest } from '#libs/errors';
import { z } from 'zod';
import type { ListNotificationsInput } from '../use-cases/list-notifications.ts';
import type { TriggerScheduleInput } from '../use-cases/trigger-schedule.ts';

/* The limits of scheduler.proto, field by field. */

const triggerSchema = z.object({
  scheduleId: fieldTypes.text({ min: 1, max: 100 }),
  requestId: z.string().regex(/^[A-Za-z0-9._-]{0,128}$/, 'must have 1 to 128 characters from A-Z a-z 0-9 . _ -, or be empty'),
});

export function readTriggerSchedule(request: TriggerScheduleRequest): TriggerScheduleInput {
  return parseRequest(triggerSchema, request);
}

const listSchema = z.object({ pageSize: fieldTypes.pageSize({ fallback: 50, max: 500 }), pageToken: z.string() });

export function readListNotifications(request: ListNotificationsRequest): ListNotificationsInput {
  return parseRequest(listSchema, request);
}
