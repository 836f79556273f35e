import { z } from 'zod';
import { invalidFields, type FieldViolation } from './app-error.ts';

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function toFieldPath(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${snakeCase(String(part))}`)).join('').replace(/^\./, '');
}

/**
 * Checks a decoded request against its schema and returns what the schema makes of it. Throws INVALID_ARGUMENT with every
 * violation at once; fields are named as in the .proto file, and descriptions never repeat the value.
 */
export function parseRequest<S extends z.ZodType>(schema: S, request: unknown): z.output<S> {
  const result = schema.safeParse(request);
  if (result.success) return result.data;
  const violations: FieldViolation[] = result.error.issues.map((issue) => ({
    field: toFieldPath(issue.path),
    description: issue.message,
  }));
  throw invalidFields(violations);
}

const lengthInCharacters = (text: string): number => [...text].length;

interface TextLimits {
  /** In characters (code points), after trimming. */
  min?: number;
  max: number;
  /** Line breaks and tabs are allowed; other control characters never are. */
  multiline?: boolean;
}

function describeText({ min = 0, max }: TextLimits): string {
  return min > 0 ? `must have ${min} to ${max} characters` : `must have at most ${max} characters`;
}

function text(limits: TextLimits): z.ZodType<string, string> {
  // C0, DEL and C1; in multi-line text without \t \n \r. Half a surrogate pair is no character at all.
  const forbidden = limits.multiline ? /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/ : /[\u0000-\u001f\u007f-\u009f]/;
  return z
    .string()
    .refine((value) => value.isWellFormed() && !forbidden.test(value), 'must not contain control characters')
    .transform((value) => value.trim())
    .refine((value) => {
      const length = lengthInCharacters(value);
      return length >= (limits.min ?? 0) && length <= limits.max;
    }, describeText(limits));
}

/** Types for the fields of requests; each states its rule in its message. */
export const fieldTypes = {
  /** Text without control characters, trimmed, its length counted in characters. */
  text,
  /** A UUID of any version, in lower case afterwards. */
  uuid: () =>
    z
      .string()
      .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, 'must be a UUID')
      .transform((value) => value.toLowerCase()),
  /** 0 means the default, more than the maximum is taken as the maximum, negative is refused. */
  pageSize: (limits: { fallback: number; max: number } = { fallback: 50, max: 1000 }) =>
    z
      .number()
      .refine((size) => size >= 0, 'must not be negative')
      .transform((size) => (size === 0 ? limits.fallback : Math.min(size, limits.max))),
};
