import {
  Schedule,
  type CreateScheduleRequest,
  ScheduleJob,
  ScheduleOverlapPolicy,
  type PreviewScheduleRequest,
} from '#contract/scheduler/v1/scheduler';
import { fieldTypes, flattenOneofs, parseRequest, type FieldViolation } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { z } from 'zod';
import { isCron } from '../../domain/schedules/timing.ts';
import { mutation } from '../fields.ts';
import type { CreateScheduleInput } from '../../use-cases/schedules/create-schedule.ts';
import type { PreviewScheduleInput } from '../../use-cases/schedules/preview-schedule.ts';

const schedule = fieldsOf('taskflow.scheduler.v1.Schedule');
const recurrenceByCalendar = fieldsOf('taskflow.scheduler.v1.CronRecurrence');
const preview = fieldsOf('taskflow.scheduler.v1.PreviewScheduleRequest');

const { maxLength: maxCronCharacters = 0 } = recurrenceByCalendar.rule('expression');
const cron = z.object({
  expression: z
    .string()
    .refine(
      (text) => text.length <= maxCronCharacters && isCron(text),
      'must be a cron expression of five fields that fires at some time, such as 30 9 * * MON-FRI',
    ),
  timeZone: fieldTypes.optionalTimeZone(),
});
const recurrence = { interval: schedule.span('interval').optional(), cron: cron.optional() };
interface Recurrence {
  interval?: number | undefined;
  cron?: z.output<typeof cron> | undefined;
}

function findMissing(chosen: object | undefined, field: string): FieldViolation[] {
  return chosen === undefined ? [{ field, description: 'must be an interval or cron' }] : [];
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

const idPattern = new RegExp(`^${schedule.rule('id').pattern}$`);

const draft = z.object(
  {
    id: z.string().regex(idPattern, 'must have 1 to 63 characters from a-z 0-9 -, beginning with a letter'),
    description: schedule.text('description'),
    job,
    ...recurrence,
    overlapPolicy,
    catchUpWindow: schedule.span('catch_up_window').optional(),
  },
  'must be set',
);

const createSchema = z.object({ schedule: draft, ...mutation });
const inputFields = ['id', 'description', 'recurrence', 'job', 'overlapPolicy', 'catchUpWindow'];
const defaultWindowMs = 3_600_000;

export function readCreateSchedule(request: CreateScheduleRequest): CreateScheduleInput {
  const missing = request.schedule ? findMissing(request.schedule.recurrence, 'schedule.recurrence') : [];
  const { schedule, ...rest } = parseRequest(createSchema, flattenOneofs(request), missing);
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

const previewSchema = z.object({
  ...recurrence,
  startTime: preview.time('start_time').optional(),
  fireTimeCount: preview.number('fire_time_count'),
});

export function readPreviewSchedule(request: PreviewScheduleRequest): PreviewScheduleInput {
  const missing = findMissing(request.recurrence, 'recurrence');
  const { startTime, fireTimeCount: count, ...rest } = parseRequest(previewSchema, flattenOneofs(request), missing);
  return { ...toTiming(rest), startTime, count };
}
