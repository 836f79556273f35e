import {
  CreateScheduleRequest,
  type BackfillScheduleRequest,
  type Schedule,
  type ScheduleOverlapPolicy,
  type DeleteScheduleRequest,
  type ListScheduleRunsRequest,
  type ListSchedulesRequest,
  type PreviewScheduleRequest,
  type TriggerScheduleRequest,
} from '#contract/scheduler/v1/scheduler';
import { fieldTypes, parseRequest } from '#libs/errors';
import { z } from 'zod';
import { toOverlapPolicy } from '../domain/overlap-policy.ts';
import { schedulableJobs } from '../domain/schedule.entity.ts';
import { findTimeZone, isCron } from '../domain/timing.ts';
import type { BackfillScheduleInput } from '../use-cases/backfill-schedule.ts';
import type { CreateScheduleInput } from '../use-cases/create-schedule.ts';
import type { DeleteScheduleInput } from '../use-cases/delete-schedule.ts';
import type { ListScheduleRunsInput } from '../use-cases/list-schedule-runs.ts';
import type { ListSchedulesInput } from '../use-cases/list-schedules.ts';
import type { PreviewScheduleInput } from '../use-cases/preview-schedule.ts';
import type { TriggerScheduleInput } from '../use-cases/trigger-schedule.ts';

/* The limits of the schedules in scheduler.proto, field by field. */

const day = 86_400;
const requestId = z.string().regex(/^[A-Za-z0-9._-]{0,128}$/, 'must have 1 to 128 characters from A-Z a-z 0-9 . _ -, or be empty');
const scheduleId = fieldTypes.text({ min: 1, max: 100 });
const page = { pageSize: fieldTypes.pageSize({ fallback: 50, max: 500 }), pageToken: z.string() };

/** Whole seconds, as milliseconds. */
const seconds = (min: number, max: number, rule: string) =>
  z
    .object({ seconds: z.bigint(), nanos: z.number() })
    .refine((span) => span.nanos === 0 && span.seconds >= BigInt(min) && span.seconds <= BigInt(max), rule)
    .transform((span) => Number(span.seconds) * 1_000);

const timeZone = z.string().transform((name, context) => {
  if (name === '') return null;
  const zone = findTimeZone(name);
  if (zone !== undefined) return zone;
  context.addIssue('must be an IANA time zone such as Europe/Berlin, or empty');
  return z.NEVER;
});

const cron = z
  .string()
  .refine((text) => text === '' || (text.length <= 100 && isCron(text)), 'must be a cron expression of five fields that fires at some time, such as 30 9 * * MON-FRI, or empty')
  .transform((text) => (text === '' ? null : text));

const timing = {
  interval: seconds(1, 366 * day, 'must be whole seconds from 1 s to 366 days').optional(),
  cron,
  timeZone,
};

/** Exactly one of both, and a zone only with the one that needs it. */
function checkTiming({ value, issues }: z.core.ParsePayload<{ interval?: number | undefined; cron: string | null; timeZone: string | null }>): void {
  const refuse = (field: string, message: string): void => void issues.push({ code: 'custom', path: [field], message, input: value });
  if (value.interval === undefined && value.cron === null) refuse('cron', 'must be set, or interval');
  if (value.interval !== undefined && value.cron !== null) refuse('interval', 'must not be set together with cron');
  if (value.interval !== undefined && value.timeZone !== null) refuse('timeZone', 'must be empty with an interval');
}

/** UTC when a cron expression came without. */
function toTiming({ interval, cron: expression, timeZone: zone }: { interval?: number | undefined; cron: string | null; timeZone: string | null }) {
  return { cron: expression, timeZone: expression === null ? null : (zone ?? 'UTC'), intervalMs: interval ?? null };
}

const overlapPolicy = z
  .custom<ScheduleOverlapPolicy>((value) => toOverlapPolicy(value as ScheduleOverlapPolicy) !== undefined, 'must be one of the values that the contract names')
  .transform((message) => toOverlapPolicy(message) ?? 'skip');

const draft = z
  .object(
    {
      id: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must have 1 to 63 characters from a-z 0-9 -, beginning with a letter'),
      description: fieldTypes.text({ max: 200 }),
      job: z.enum(schedulableJobs, `must be one of ${schedulableJobs.join(', ')}`),
      ...timing,
      overlapPolicy,
      catchUpWindow: seconds(10, 30 * day, 'must be whole seconds from 10 s to 30 days').optional(),
    },
    'must be set',
  )
  .check(checkTiming);

const createSchema = z.object({ schedule: draft, requestId, validateOnly: z.boolean() });
const inputFields = ['id', 'description', 'interval', 'cron', 'timeZone', 'job', 'overlapPolicy', 'catchUpWindow'];
const defaultWindowMs = 3_600_000;

export function readCreateSchedule(request: CreateScheduleRequest): CreateScheduleInput {
  const { schedule, ...rest } = parseRequest(createSchema, request);
  const { id, description, job, overlapPolicy: policy, catchUpWindow } = schedule;
  // What output-only fields hold is ignored, also when a request is compared with an earlier one.
  const asked = Object.fromEntries(Object.entries(request.schedule ?? {}).filter(([name]) => inputFields.includes(name)));
  return {
    draft: { id, description, job, ...toTiming(schedule), overlapPolicy: policy, catchUpWindowMs: catchUpWindow ?? defaultWindowMs },
    ...rest,
    body: CreateScheduleRequest.fromPartial({ schedule: asked as Partial<Schedule> }),
  };
}

const idSchema = z.object({ scheduleId });

export function readScheduleId(request: { scheduleId: string }): string {
  return parseRequest(idSchema, request).scheduleId;
}

const listSchema = z.object(page);

export function readListSchedules(request: ListSchedulesRequest): ListSchedulesInput {
  return parseRequest(listSchema, request);
}

const triggerSchema = z.object({ scheduleId, requestId });

export function readTriggerSchedule(request: TriggerScheduleRequest): TriggerScheduleInput {
  return parseRequest(triggerSchema, request);
}

const deleteSchema = z.object({ scheduleId, requestId, validateOnly: z.boolean() });

export function readDeleteSchedule(request: DeleteScheduleRequest): DeleteScheduleInput {
  return parseRequest(deleteSchema, request);
}

const runsSchema = z.object({ scheduleId, ...page });

export function readListScheduleRuns(request: ListScheduleRunsRequest): ListScheduleRunsInput {
  return parseRequest(runsSchema, request);
}

const years = [Date.UTC(1970, 0, 1), Date.UTC(10_000, 0, 1)] as const;
const moment = z
  .date({ error: 'must be a time between 1970-01-01 and 9999-12-31' })
  .refine((time) => time.getTime() >= years[0] && time.getTime() < years[1], 'must be a time between 1970-01-01 and 9999-12-31');

const previewSchema = z
  .object({
    ...timing,
    startTime: moment.optional(),
    count: z
      .number()
      .refine((count) => count >= 0 && count <= 100, 'must be 1 to 100, or 0 for 10')
      .transform((count) => (count === 0 ? 10 : count)),
  })
  .check(checkTiming);

export function readPreviewSchedule(request: PreviewScheduleRequest): PreviewScheduleInput {
  const { startTime, count, ...rest } = parseRequest(previewSchema, request);
  return { ...toTiming(rest), startTime, count };
}

const backfillSchema = z
  .object({ scheduleId, startTime: moment, endTime: moment, requestId, validateOnly: z.boolean() })
  .refine(({ startTime, endTime }) => endTime > startTime, { path: ['endTime'], error: 'must be after start_time' });

export function readBackfillSchedule(request: BackfillScheduleRequest): BackfillScheduleInput {
  return parseRequest(backfillSchema, request);
}
