import { z } from 'zod';
import { fieldTypes } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { firstDay, isDueDate, lastDay } from './due-day.ts';

/* The schemas of a task's fields. */

const task = fieldsOf('taskflow.tasks.v1.Task');

export const unnamed = 'must be one of the values that the contract names';

export const known = <T extends string>(values: readonly T[]) =>
  z.custom<T>((value) => values.includes(value as T), unnamed);

/** At creation, the contract's value for "unset" means the initial value. */
export const knownOr = <T extends string>(values: readonly T[], unset: T, initial: T) =>
  known([...values, unset]).transform((value) => (value === unset ? initial : value));

export const title = task.text('title');

export const description = task.text('description');

export const dueTime = task
  .time('due_time')
  .nullish()
  .transform((time) => time ?? null);

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
const dayRule = `must be a day between ${firstDay} and ${lastDay}, with year, month and day`;

const date = z
  .object({ year: z.number(), month: z.number(), day: z.number() }, dayRule)
  .transform(({ year, month, day }) => `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`)
  .refine(isDueDate, dayRule);

const timeZone = fieldTypes.optionalTimeZone().refine((zone) => zone !== null, 'must be set');

export const dueDay = z
  .object({ date, timeZone })
  .transform((day) => ({ date: day.date, zone: day.timeZone ?? '' }))
  .nullish()
  .transform((day) => day ?? null);

/** '' = none. */
export const projectId = z.union([z.literal('').transform(() => null), fieldTypes.uuid()], 'must be a UUID or empty');

/** '' = none. */
export const assigneeId = z.union([z.literal('').transform(() => null), fieldTypes.uuid()], 'must be a UUID or empty');

/** A set: sorted, without repetition. */
export const labels = task.texts('labels');

export const externalId = task.text('external_id').transform((id) => (id === '' ? null : id));
