import {
  Schedule,
  type CreateScheduleRequest,
  ScheduleJob,
  ScheduleOverlapPolicy,
  type PreviewScheduleRequest,
} from '#contract/scheduler/v1/scheduler';
import { fieldTypes, flattenOneofs, parseRequest } from '#libs/errors';
import { toMilliseconds } from '#libs/runtime';
import { z } from 'zod';
import { isCron } from '../../domain/schedules/timing.ts';
import { mutation } from '../fields.ts';
import type { CreateScheduleInput } from '../../use-cases/schedules/create-schedule.ts';
import type { PreviewScheduleInput } from '../../use-cases/schedules/preview-schedule.ts';

/* The limits of the schedules in scheduler.proto, field by field. */

const day = 86_400;

/** Whole seconds, as milliseconds. */
const seconds = (min: number, max: number, rule: string) =>
  z
    .object({ seconds: z.bigint(), nanos: z.number() })
    .refine((span) => span.nanos === 0 && span.seconds >= BigInt(min) && span.seconds <= BigInt(max), rule)
    .transform(toMilliseconds);

const cron = z.object({
  expression: z
    .string()
    .refine(
      (text) => text.length <= 100 && isCron(text),
      'must be a cron expression of five fields that fires at some time, such as 30 9 * * MON-FRI',
    ),
  timeZone: fieldTypes.optionalTimeZone(),
});
const interval = seconds(1, 366 * day, 'must be whole seconds from 1 s to 366 days');

const recurrence = { interval: interval.optional(), cron: cron.optional() };
interface Recurrence {
  interval?: number | undefined;
  cron?: z.output<typeof cron> | undefined;
}

function checkRecurrence({ value, issues }: z.core.ParsePayload<Recurrence>): void {
  if (value.interval === undefined && value.cron === undefined)
    issues.push({ code: 'custom', path: ['recurrence'], message: 'must be an interval or cron', input: value });
}

/** UTC when a cron expression came without a zone. */
function toTiming({ interval: intervalMs, cron: calendar }: Recurrence) {
  if (calendar === undefined) return { cron: null, timeZone: null, intervalMs: BigInt(intervalMs ?? 0) };
  return { cron: calendar.expression, timeZone: calendar.timeZone ?? 'UTC', intervalMs: null };
}

const unnamed = 'must be one of the values that the contract names';

const overlapPolicy = z
  .enum(ScheduleOverlapPolicy, unnamed)
  .exclude(['UNRECOGNIZED'], unnamed)
  .transform((policy) => (policy === ScheduleOverlapPolicy.UNSPECIFIED ? ScheduleOverlapPolicy.SKIP : policy));

const job = z.enum(ScheduleJob, unnamed).exclude(['UNSPECIFIED', 'UNRECOGNIZED'], unnamed);

const draft = z
  .object(
    {
      id: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must have 1 to 63 characters from a-z 0-9 -, beginning with a letter'),
      description: fieldTypes.text({ max: 200 }),
      job,
      ...recurrence,
      overlapPolicy,
      catchUpWindow: seconds(10, 30 * day, 'must be whole seconds from 10 s to 30 days').optional(),
    },
    'must be set',
  )
  .check(checkRecurrence);

const createSchema = z.object({ schedule: draft, ...mutation });
const inputFields = ['id', 'description', 'recurrence', 'job', 'overlapPolicy', 'catchUpWindow'];
const defaultWindowMs = 3_600_000;

export function readCreateSchedule(request: CreateScheduleRequest): CreateScheduleInput {
  const { schedule, ...rest } = parseRequest(createSchema, flattenOneofs(request));
  const { id, description, job: name, overlapPolicy: policy, catchUpWindow = defaultWindowMs } = schedule;
  // Output-only fields are ignored, also when the request is compared with an earlier one.
  const asked = Object.fromEntries(
    Object.entries(request.schedule ?? {}).filter(([name]) => inputFields.includes(name)),
  );
  return {
    draft: {
      id,
      description,
      job: name,
      ...toTiming(schedule),
      overlapPolicy: policy,
      catchUpWindowMs: BigInt(catchUpWindow),
    },
    request: { schedule: Schedule.fromPartial(asked as Partial<Schedule>), ...rest },
  };
}

const years = [Date.UTC(1970, 0, 1), Date.UTC(10_000, 0, 1)] as const;
export const moment = z
  .date({ error: 'must be a time between 1970-01-01 and 9999-12-31' })
  .refine(
    (time) => time.getTime() >= years[0] && time.getTime() < years[1],
    'must be a time between 1970-01-01 and 9999-12-31',
  );

const previewSchema = z
  .object({
    ...recurrence,
    startTime: moment.optional(),
    fireTimeCount: z
      .number()
      .refine((count) => count >= 0 && count <= 100, 'must be 1 to 100, or 0 for 10')
      .transform((count) => (count === 0 ? 10 : count)),
  })
  .check(checkRecurrence);

export function readPreviewSchedule(request: PreviewScheduleRequest): PreviewScheduleInput {
  const { startTime, fireTimeCount: count, ...rest } = parseRequest(previewSchema, flattenOneofs(request));
  return { ...toTiming(rest), startTime, count };
}
