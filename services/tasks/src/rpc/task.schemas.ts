import { z } from 'zod';
import { fieldTypes } from '#libs/errors';
import { TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { findZone, isDueDate } from '../domain/due-day.ts';
import type { Due } from '../domain/due.ts';
import { priorities, statuses } from '../domain/task-enums.ts';

/* The limits of task.proto, field by field. */

const earliestDue = Date.UTC(1970, 0, 1);
const afterLatestDue = Date.UTC(10_000, 0, 1);
const maxLabels = 20;
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/;
const controlCharactersInText = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** Kept exactly as it came. */
const exact = (max: number, forbidden: RegExp, rule: string) =>
  z
    .string()
    .refine((text) => text.isWellFormed() && !forbidden.test(text), rule)
    .refine((text) => [...text].length <= max, `must have at most ${max} characters`);

const dueTime = z
  .date({ error: 'must be a time between 1970-01-01 and 9999-12-31' })
  .refine((time) => time.getTime() >= earliestDue && time.getTime() < afterLatestDue, 'must be a time between 1970-01-01 and 9999-12-31');

const known = <T extends string>(values: readonly T[], unspecified?: T) =>
  z.custom<T>((value) => values.includes(value as T) || (unspecified !== undefined && value === unspecified), 'must be one of the values that the contract names');

/** '' = none. */
const optionalUuid = z.union([z.literal('').transform(() => null), fieldTypes.uuid()], 'must be a UUID or empty');

const dueDate = z
  .string()
  .refine((date) => date === '' || isDueDate(date), 'must be a day between 1970-01-01 and 9999-12-30, such as 2026-03-29, or empty')
  .transform((date) => (date === '' ? null : date));

const dueZone = z.string().transform((name, context) => {
  if (name === '') return null;
  const zone = findZone(name);
  if (zone !== undefined) return zone;
  context.addIssue('must be an IANA time zone of at most 64 characters, such as Europe/Berlin, or empty');
  return z.NEVER;
});

/** The fields of a task that clients may write, each as the domain wants it. */
export const taskFields = {
  title: fieldTypes.text({ min: 1, max: 200 }),
  description: exact(10_000, controlCharactersInText, 'must not contain control characters other than line breaks and tabs'),
  status: known(statuses),
  priority: known(priorities),
  dueTime: dueTime.nullish().transform((time) => time ?? null),
  dueDate,
  dueZone,
  assigneeId: optionalUuid,
  labels: z
    .array(fieldTypes.text({ min: 1, max: 50 }))
    .transform((labels) => [...new Set(labels)].sort())
    .refine((labels) => labels.length <= maxLabels, `must have at most ${maxLabels} labels`),
} as const;

export const creationFields = {
  ...taskFields,
  status: known([...statuses, TaskStatus.UNSPECIFIED]).transform((status) => (status === TaskStatus.UNSPECIFIED ? TaskStatus.PENDING : status)),
  priority: known([...priorities, TaskPriority.UNSPECIFIED]).transform((priority) => (priority === TaskPriority.UNSPECIFIED ? TaskPriority.MEDIUM : priority)),
  externalId: exact(128, controlCharacters, 'must not contain control characters').transform((id) => (id === '' ? null : id)),
} as const;

/** A due time and a due date exclude each other; what is left out of an update is undefined. */
export function checkDue({ value, issues }: z.core.ParsePayload<object>): void {
  const { dueTime, dueDate: day, dueZone: zone } = value as Partial<Due>;
  const refuse = (field: keyof Due, message: string): void => void issues.push({ code: 'custom', path: [field], message, input: value });
  if (dueTime && day) refuse('dueTime', 'must not be set together with due_date');
  if (typeof day === 'string' && zone === null) refuse('dueZone', 'is required with due_date');
  if (day === null && typeof zone === 'string') refuse('dueZone', 'must be empty without due_date');
}

/** A set of filter values: sorted, without repetition. */
export const filterOf = <T extends string>(values: readonly T[]) => z.array(known(values)).transform((wanted) => values.filter((value) => wanted.includes(value)));

export const requestId = z.string().regex(/^[A-Za-z0-9._-]{0,128}$/, 'must have 1 to 128 characters from A-Z a-z 0-9 . _ -, or be empty');

/** One that is not ours is simply not current. */
export const etag = z.string();
export const optionalOwnerId = z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty');
