import { isVisible } from '#libs/text';
import { z } from 'zod';
import { invalidFields, type FieldViolation } from './app-error.ts';
import { findTimeZone, maxTimeZoneCharacters } from './time-zone.ts';

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function toFieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${snakeCase(String(part))}`))
    .join('')
    .replace(/^\./, '');
}

/**
 * Parses a decoded request by its schema. Throws INVALID_ARGUMENT with every violation at once. Fields are named as in
 * the .proto file, and descriptions never repeat the value. `found` are violations that a schema cannot tell.
 */
export function parseRequest<S extends z.ZodType>(
  schema: S,
  request: unknown,
  found: readonly FieldViolation[] = [],
): z.output<S> {
  const result = schema.safeParse(request);
  if (result.success && found.length === 0) return result.data;
  const violations = (result.error?.issues ?? []).map((issue) => ({
    field: toFieldPath(issue.path),
    description: issue.message,
  }));
  throw invalidFields([...found, ...violations]);
}

/** More than anybody reads. */
const maxFaultyEntries = 100;

/** A list of some of `named`, each of which counts once: in the order of `named`. Each other entry is a violation. */
function setOf<T extends string>(named: readonly T[], description: string): z.ZodType<T[], string[]> {
  const known = new Set<string>(named);
  return z.array(z.string()).transform((entries, context) => {
    const given = new Set(entries);
    let faults = 0;
    for (const [index, entry] of entries.entries()) {
      if (known.has(entry)) continue;
      context.addIssue({ code: 'custom', message: description, path: [index] });
      faults += 1;
      if (faults === maxFaultyEntries) break;
    }
    return named.filter((value) => given.has(value));
  });
}

/**
 * A decoded request whose oneofs are fields by the names of the contract: `{ cron }` instead of
 * `{ recurrence: { $case: 'cron', value } }`, so that schemas and the paths of violations need not know of them.
 */
export function flattenOneofs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(flattenOneofs);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) =>
    isOneof(field) ? [field.$case, flattenOneofs(field.value)] : [name, flattenOneofs(field)],
  );
  return Object.fromEntries(fields);
}

const isOneof = (field: unknown): field is { $case: string; value: unknown } =>
  typeof field === 'object' && field !== null && '$case' in field;

/** Counts the characters only of what may be short enough, because counting megabytes takes a second. */
function hasLength(text: string, { min = 0, max }: TextLimits): boolean {
  if (text.length > 2 * max) return false;
  const { length } = [...text];
  return length >= min && length <= max;
}

interface TextLimits {
  /** In characters (code points), after trimming. */
  min?: number;
  max: number;
  /** Line breaks and tabs are allowed; other control characters never are. */
  multiline?: boolean;
  /** White space around it is a part of it. */
  untrimmed?: boolean;
  /** A reader must see something of it: for names, which stand alone in lists. */
  visible?: boolean;
}

function describeText({ min = 0, max }: TextLimits): string {
  return min > 0 ? `must have ${min} to ${max} characters` : `must have at most ${max} characters`;
}

const invisible = 'must have a visible character';

function text(limits: TextLimits): z.ZodType<string, string> {
  // C0, DEL and C1; multi-line text may contain \t \n \r. Half of a surrogate pair is not a character.
  const forbidden = limits.multiline
    ? /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/
    : /[\u0000-\u001f\u007f-\u009f]/;
  const remark = limits.multiline ? ' other than line breaks and tabs' : '';
  return z
    .string()
    .refine((value) => value.isWellFormed() && !forbidden.test(value), `must not contain control characters${remark}`)
    .transform((value) => (limits.untrimmed ? value : value.trim()))
    .refine((value) => hasLength(value, limits), describeText(limits))
    .refine(
      (value) => limits.visible !== true || value.length > 2 * limits.max || value === '' || isVisible(value),
      invisible,
    );
}

/** Types for the fields of requests; each states its rule in its message. */
export const fieldTypes = {
  /** Text without control characters, trimmed, its length counted in characters. */
  text,
  /** A list of values of an enum. */
  setOf,
  /** A UUID of any version; becomes lower case. */
  uuid: () =>
    z
      .string()
      .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, 'must be a UUID')
      .transform((value) => value.toLowerCase()),
  /** The name of an IANA time zone as `findTimeZone` spells it; null for ''. */
  optionalTimeZone: () =>
    z.string().transform((name, context) => {
      if (name === '') return null;
      const zone = findTimeZone(name);
      if (zone !== undefined) return zone;
      context.addIssue(
        `must be an IANA time zone of at most ${maxTimeZoneCharacters} characters, such as Europe/Berlin, or empty`,
      );
      return z.NEVER;
    }),
  /** A request_id, which makes repeated calls count once; '' = none. */
  idempotencyKey: () =>
    z.string().regex(/^[A-Za-z0-9._-]{0,128}$/, 'must have 1 to 128 characters from A-Z a-z 0-9 . _ -, or be empty'),
  /** 0 means the default, more than the maximum means the maximum, a negative number is refused. */
  pageSize: (limits: { fallback: number; max: number } = { fallback: 50, max: 1000 }) =>
    z
      .number()
      .refine((size) => size >= 0, 'must not be negative')
      .transform((size) => (size === 0 ? limits.fallback : Math.min(size, limits.max))),
};
