import { z } from 'zod';
import { decodeCanonical } from './canonical-base64.ts';

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  const url = URL.parse(text);
  return url !== null && protocols.includes(url.protocol);
}

const databaseProtocols = ['postgres:', 'postgresql:'];

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

function withoutPassword(url: string): string {
  return Object.assign(new URL(url), { password: '' }).href;
}

function integer(min: number, max: number): z.ZodType<number, string> {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

/** Types for the entries of a configuration. Each reads a string. */
export const envTypes = {
  /** A TCP port; 0 takes a free one. */
  port: (fallback: number) => integer(0, 65_535).default(fallback),
  positiveInt: (fallback: number, max = 1_000_000_000, min = 1) => integer(min, max).default(fallback),
  /** 0 is allowed. */
  wholeNumber: (fallback: number, max = 1_000_000_000) => integer(0, max).default(fallback),
  /** From 0 to 1, for instance 0.05. */
  share: (fallback: number) =>
    z
      .string()
      .regex(/^(0|1|[01]?\.\d{1,9})$/, 'must be a number from 0 to 1')
      .transform(Number)
      .refine((value) => value <= 1, 'must be a number from 0 to 1')
      .default(fallback),
  /** A URL with one of the protocols, each given with its colon: "postgres:". */
  url: (...protocols: string[]) =>
    z.string().refine((text) => isUrl(text, protocols), `must be a URL that starts with ${protocols.join('// or ')}//`),
  text: () => z.string().min(1, 'must not be empty'),
  textOr: (fallback: string) => z.string().min(1, 'must not be empty').default(fallback),
  optionalText: () => z.string().optional(),
  oneOf: <T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) =>
    z.enum(values, `must be one of ${values.join(', ')}`).default(fallback as never),
  /**
   * Keys of 32 bytes, each in base64 or base64url as `openssl rand -base64 32` writes them, separated by blanks or line
   * breaks. The newest comes first; the others still open what they sealed. A stray character is refused, because it
   * would change a key unnoticed.
   */
  keys32: () =>
    z
      .string()
      .transform((text) =>
        wordsOf(text).map((word) => decodeCanonical(word, 'base64') ?? decodeCanonical(word, 'base64url')),
      )
      .refine(
        (keys) => keys.length > 0 && keys.every((key) => key?.length === 32),
        'must be 32 bytes in base64, or several such keys, the newest first',
      )
      .transform((keys) => keys.filter((key) => key !== undefined))
      .refine((keys) => new Set(keys.map((key) => key.toString('hex'))).size === keys.length, 'names a key twice'),
  /**
   * URLs of one database that differ only in the password, separated by blanks or line breaks. The newest comes first.
   */
  databaseUrls: () =>
    z
      .string()
      .transform(wordsOf)
      .refine(
        (urls) => urls.length > 0 && urls.every((url) => isUrl(url, databaseProtocols)),
        'must be a URL that starts with postgres:// or postgresql://',
      )
      .refine((urls) => new Set(urls.map(withoutPassword)).size <= 1, 'must be URLs that differ in the password only'),
  json: <S extends z.ZodType>(schema: S) => z.string().transform(parseJson).pipe(schema),
  /** Comma separated; empty when unset. */
  list: () =>
    z
      .string()
      .default('')
      .transform((text) =>
        text
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      ),
  /** How mails are sent: several services must know whether they are. */
  mailWay: () => z.enum(['off', 'smtp', 'folder'], 'must be off, smtp or folder').default('off'),
  /** "1" or "true"; false when unset. */
  flag: () =>
    z
      .enum(['0', '1', 'false', 'true'], 'must be 0 or 1')
      .default('0')
      .transform((text) => text === '1' || text === 'true'),
};
