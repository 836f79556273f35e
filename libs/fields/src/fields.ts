import { z } from 'zod';
import { fieldOf, isRequired, itemsText, ruleOf, spanRangeText, type FieldRule } from '#libs/contract';
import { fieldTypes } from '#libs/errors';
import { toMilliseconds } from '#libs/runtime';
import { toList } from './lists.ts';

/** Schemas of the fields of one message, by their names in the contract, with the rules that it declares. */
export interface Fields {
  /** Everything that the contract declares of the field. Throws when it declares nothing. */
  rule: (name: string) => FieldRule;
  /** A text that is set. */
  text: (name: string) => z.ZodType<string, string>;
  /** A text, or ''. Throws when the field is REQUIRED. */
  optionalText: (name: string) => z.ZodType<string, string>;
  /** A list of texts, each once when the contract calls it a set; sorted then. */
  texts: (name: string) => z.ZodType<string[], string[]>;
  /** A list of UUIDs. */
  uuids: (name: string) => z.ZodType<string[], string[]>;
  /** A list of which only the length is checked. */
  items: (name: string) => z.ZodType<unknown[], unknown[]>;
  /** An int32 in its range. An unset one becomes its default, when it has one. */
  number: (name: string) => z.ZodType<number, number | undefined>;
  /** An int64 in its range. */
  bigint: (name: string) => z.ZodType<bigint, bigint>;
  /** A page_size: more than the maximum is taken as the maximum. */
  pageSize: (name?: string) => z.ZodType<number, number>;
  /** A page_token; '' for the first page. Whether the server gave it shows when it is opened. */
  pageToken: () => z.ZodType<string, string>;
  /** Another text that the server gave, or ''. Whether it did shows when it is opened. */
  givenToken: (name: string) => z.ZodType<string, string>;
  /** A span of time, as milliseconds. */
  span: (name: string) => z.ZodType<number, Span>;
  /** A time in its range. */
  time: (name: string) => z.ZodType<Date, Date>;
  /** Bytes of a length that is fixed. */
  bytes: (name: string) => z.ZodType<Uint8Array, Uint8Array>;
}

interface Span {
  seconds: bigint;
  nanos: number;
}

const uuid = fieldTypes.uuid();

/** A declared limit; throws when the contract has another kind of rule for the field. */
function demand<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the contract declares no such limit of ${name}`);
  return value;
}

const toText = ({ minLength: min, maxLength, characters, trimmed, visible }: FieldRule, name: string) =>
  fieldTypes.text({
    min,
    max: demand(maxLength, name),
    multiline: characters === 'lines',
    untrimmed: !trimmed,
    visible,
  });

function toGivenToken({ maxLength }: FieldRule, name: string): z.ZodType<string, string> {
  const max = demand(maxLength, name);
  return z.string().max(max, `must have at most ${max} characters`);
}

/** Throws when the message has no such field, or the field another kind of rule: at the start, not in a call. */
export function fieldsOf(message: string): Fields {
  const rule = (name: string): FieldRule => demand(ruleOf(fieldOf(message, name)), `${message}.${name}`);
  const listOf = <T>(type: z.ZodType<T, T>, name: string) => {
    const declared = rule(name);
    demand(declared.maxItems, name);
    return toList(type, declared, itemsText(declared));
  };
  return {
    rule,
    text: (name) => toText(rule(name), name),
    optionalText: (name) => {
      if (isRequired(fieldOf(message, name))) throw new Error(`the contract calls ${message}.${name} REQUIRED`);
      const { minLength, maxLength } = rule(name);
      const error = `must have ${minLength} to ${maxLength} characters without control characters, or be empty`;
      return z.union([z.literal(''), toText(rule(name), name)], error);
    },
    texts: (name) => listOf(toText(rule(name), name), name),
    uuids: (name) => listOf(uuid, name),
    items: (name) => listOf(z.unknown(), name),
    number: (name) => toNumber(rule(name)),
    bigint: (name) => {
      const declared = rule(name);
      return z.bigint().refine((value) => isInRange(Number(value), declared), describeNumber(declared));
    },
    pageSize: (name = 'page_size') => {
      const { defaultNumber, max } = rule(name);
      return fieldTypes.pageSize({ fallback: demand(defaultNumber, name), max: demand(max, name) });
    },
    pageToken: () => toGivenToken(rule('page_token'), 'page_token'),
    givenToken: (name) => toGivenToken(rule(name), name),
    span: (name) => toSpan(rule(name)),
    time: (name) => toTime(rule(name), name),
    bytes: (name) => {
      const length = demand(rule(name).maxBytes, name);
      return z.instanceof(Uint8Array).refine((bytes) => bytes.length === length, `must have ${length} bytes`);
    },
  };
}

const isInRange = (value: number, { min = -Infinity, max = Infinity }: FieldRule): boolean =>
  value >= min && value <= max;

function describeNumber({ min = -Infinity, max = Infinity }: FieldRule): string {
  if (max === Infinity) return min === 1 ? 'must be positive' : `must be at least ${min}`;
  return min === -Infinity ? `must be at most ${max}` : `must be ${min} to ${max}`;
}

/** Where 0 is no number of the range, it means the default as an absent field does. */
function toNumber(rule: FieldRule): z.ZodType<number, number | undefined> {
  const { defaultNumber } = rule;
  if (defaultNumber === undefined) return z.number().refine((value) => isInRange(value, rule), describeNumber(rule));
  const isUnset = (value: number): boolean => value === 0 && !isInRange(0, rule);
  const remark = isInRange(0, rule) ? '' : `, or 0 for ${defaultNumber}`;
  return z
    .number()
    .default(defaultNumber)
    .refine((value) => isUnset(value) || isInRange(value, rule), `${describeNumber(rule)}${remark}`)
    .transform((value) => (isUnset(value) ? defaultNumber : value));
}

const nanosOf = (ms: number): bigint => BigInt(ms) * 1_000_000n;
const toNanos = ({ seconds, nanos }: Span): bigint => seconds * 1_000_000_000n + BigInt(nanos);
/** The longest that a Duration may be. */
const longestMs = 315_576_000_000_000;

function toSpan({ minSpanMs = 0, maxSpanMs = longestMs, wholeSeconds }: FieldRule): z.ZodType<number, Span> {
  const error = `must be ${spanRangeText(minSpanMs, maxSpanMs, wholeSeconds)}`;
  return z
    .object({ seconds: z.bigint(), nanos: z.number() }, error)
    .refine(({ nanos }) => !wholeSeconds || nanos === 0, { error, abort: true })
    .refine((span) => toNanos(span) >= nanosOf(minSpanMs) && toNanos(span) <= nanosOf(maxSpanMs), error)
    .transform(toMilliseconds);
}

/** "must be a time between 1970-01-01 and 9999-12-31" */
function toTime({ minTime, endTime }: FieldRule, name: string): z.ZodType<Date, Date> {
  const [first, end] = [demand(minTime, name).getTime(), demand(endTime, name).getTime()];
  const [from, to] = [first, end - 1].map((ms) => new Date(ms).toISOString().slice(0, 10));
  const error = `must be a time between ${from} and ${to}`;
  return z.date({ error }).refine((time) => time.getTime() >= first && time.getTime() < end, error);
}
