import { z } from 'zod';
import { fieldTypes } from '#libs/errors';
import { isDueDate } from './due-day.ts';

/* The schemas of a task's fields, with the limits of tasks.proto. */

const earliestDue = Date.UTC(1970, 0, 1);
const afterLatestDue = Date.UTC(10_000, 0, 1);
const maxLabels = 20;
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/;
const controlCharactersInText = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** Text that is not trimmed. */
const exact = (max: number, forbidden: RegExp, rule: string) =>
  z
    .string()
    .refine((text) => text.isWellFormed() && !forbidden.test(text), rule)
    .refine((text) => [...text].length <= max, `must have at most ${max} characters`);

export const known = <T extends string>(values: readonly T[]) =>
  z.custom<T>((value) => values.includes(value as T), 'must be one of the values that the contract names');

/** At creation, the contract's value for "unset" means the initial value. */
export const knownOr = <T extends string>(values: readonly T[], unset: T, initial: T) =>
  known([...values, unset]).transform((value) => (value === unset ? initial : value));

export const title = fieldTypes.text({ min: 1, max: 200 });

export const description = exact(
  10_000,
  controlCharactersInText,
  'must not contain control characters other than line breaks and tabs',
);

const dueTimeRule = 'must be a time between 1970-01-01 and 9999-12-31';
export const dueTime = z
  .date({ error: dueTimeRule })
  .refine((time) => time.getTime() >= earliestDue && time.getTime() < afterLatestDue, dueTimeRule)
  .nullish()
  .transform((time) => time ?? null);

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
const dayRule = 'must be a day between 1970-01-01 and 9999-12-30, with year, month and day';

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
export const assigneeId = z.union([z.literal('').transform(() => null), fieldTypes.uuid()], 'must be a UUID or empty');

/** A set: sorted, without repetition. */
export const labels = z
  .array(fieldTypes.text({ min: 1, max: 50 }))
  .transform((all) => [...new Set(all)].sort())
  .refine((all) => all.length <= maxLabels, `must have at most ${maxLabels} labels`);

export const externalId = exact(128, controlCharacters, 'must not contain control characters').transform((id) =>
  id === '' ? null : id,
);
