import {
  getOption,
  hasOption,
  isFieldSet,
  ScalarType,
  type DescExtension,
  type DescField,
  type Message,
} from '@bufbuild/protobuf';
import { fileRegistry } from './descriptors.ts';

/** What the contract declares of one field of a request; see proto/taskflow/policy/v1/fields.proto. */
export interface FieldRule {
  /** "UUID", or undefined for text of no known kind. */
  format: string | undefined;
  minLength: number;
  maxLength: number | undefined;
  minBytes: number;
  maxBytes: number | undefined;
  /** The whole text matches it. */
  pattern: string | undefined;
  /** line: no control characters. lines: of them only line breaks and tabs. */
  characters: 'any' | 'line' | 'lines';
  trimmed: boolean;
  /** Something of a text shows. */
  visible: boolean;
  minItems: number;
  maxItems: number | undefined;
  /** once: a set, whose repeats count once. */
  repeats: 'kept' | 'once' | 'refused';
  min: number | undefined;
  max: number | undefined;
  /** A greater number is taken as `max`. */
  clamped: boolean;
  defaultNumber: number | undefined;
  minSpanMs: number | undefined;
  maxSpanMs: number | undefined;
  wholeSeconds: boolean;
  minTime: Date | undefined;
  /** The first time that is too late. */
  endTime: Date | undefined;
  /** The full names of the values of an enum that may not be named, besides UNSPECIFIED. */
  refusedValues: readonly string[];
  /** Why there is no limit; empty when there is one. */
  unlimited: string;
  /** What else the server checks, for people. */
  also: string;
}

const option = fileRegistry.getExtension('taskflow.policy.v1.field') as DescExtension;
const formatOption = fileRegistry.getExtension('taskflow.policy.v1.format') as DescExtension;
const oneofOption = fileRegistry.getExtension('taskflow.policy.v1.required') as DescExtension;
const behaviorOption = fileRegistry.getExtension('google.api.field_behavior') as DescExtension;
const formats = fileRegistry.getEnum('taskflow.policy.v1.TextFormat')?.values ?? [];
const formatPrefix = 'TEXT_FORMAT_';
const required = 2;
const outputOnly = 3;

interface SpanMessage {
  seconds: bigint;
  nanos: number;
}

type Values = Record<string, unknown>;

/** The fields that are set, by their names in TypeScript. */
function setFields(message: Message, type: DescExtension): Values {
  const fields = type.message?.fields.filter((field) => isFieldSet(message, field)) ?? [];
  return Object.fromEntries(fields.map(({ localName }) => [localName, (message as unknown as Values)[localName]]));
}

/** The value of an enum by its number. */
const nth = <const T extends string>(values: readonly [T, ...T[]], number = 0): T => values[number] ?? values[0];

function toRule(set: Values): FieldRule {
  const number = (name: string): number | undefined => (set[name] === undefined ? undefined : Number(set[name]));
  const text = (name: string): string => (set[name] as string | undefined) ?? '';
  const spanMs = (name: string): number | undefined => {
    const span = set[name] as SpanMessage | undefined;
    return span === undefined ? undefined : Number(span.seconds) * 1000 + span.nanos / 1e6;
  };
  const time = (name: string): Date | undefined => (text(name) === '' ? undefined : toTime(text(name)));
  return {
    format: formats.find((value) => value.number === set.format)?.name.slice(formatPrefix.length),
    minLength: number('minLength') ?? 0,
    maxLength: number('maxLength'),
    minBytes: number('minBytes') ?? 0,
    maxBytes: number('maxBytes'),
    pattern: set.pattern as string | undefined,
    characters: nth(['any', 'line', 'lines'], number('characters')),
    trimmed: set.trimmed === true,
    visible: set.visible === true,
    minItems: number('minItems') ?? 0,
    maxItems: number('maxItems'),
    repeats: nth(['kept', 'once', 'refused'], number('repeats')),
    min: number('min'),
    max: number('max'),
    clamped: set.clamped === true,
    defaultNumber: number('defaultNumber'),
    minSpanMs: spanMs('minSpan'),
    maxSpanMs: spanMs('maxSpan'),
    wholeSeconds: set.wholeSeconds === true,
    minTime: time('minTime'),
    endTime: time('endTime'),
    refusedValues: (set.refusedValues as string[] | undefined) ?? [],
    unlimited: text('unlimited'),
    also: text('also'),
  };
}

/** Date reads years beyond 9999 only with a sign and six digits. */
function toTime(text: string): Date {
  const time = new Date(/^\d{5}-/.test(text) ? `+0${text}` : text);
  if (Number.isNaN(time.getTime())) throw new Error(`the contract has a rule with ${text}, which is no time`);
  return time;
}

/** The rule of a field with that of its format; undefined when it has none. */
export function ruleOf(field: DescField): FieldRule | undefined {
  if (!hasOption(field, option)) return undefined;
  const own = setFields(getOption(field, option) as Message, option);
  const format = formats.find(({ number }) => number === own.format);
  const ofFormat = format && hasOption(format, formatOption) ? (getOption(format, formatOption) as Message) : undefined;
  return toRule({ ...(ofFormat && setFields(ofFormat, formatOption)), ...own });
}

/** Whether one field of a oneof must be set. */
export function isOneofRequired(oneof: NonNullable<DescField['oneof']>): boolean {
  return getOption(oneof, oneofOption) as boolean;
}

/** Whether the contract calls the field REQUIRED. */
export function isRequired(field: DescField): boolean {
  return (getOption(field, behaviorOption) as number[]).includes(required);
}

/** Whether the contract says that servers ignore the field in requests. */
export function isOutputOnly(field: DescField): boolean {
  return (getOption(field, behaviorOption) as number[]).includes(outputOnly);
}

/** "must have 1 to 500 entries" */
export function itemsText({ minItems: min, maxItems: max }: Pick<FieldRule, 'minItems' | 'maxItems'>): string {
  return `must have ${min > 0 ? `${min} to` : 'at most'} ${max} entries`;
}

/**
 * How many times the entries that a list may have are read at all. A list of texts that is a little too long is named with
 * what else is wrong; a batch that is too long would be named behind what is wrong with hundreds of members. Repeats of a
 * set count once, but nobody has to read any number of them.
 */
const readTimes = { batch: 1, list: 10, set: 100 };

/** How many entries of a list are read at all, and what is said of more; undefined where there is no limit. */
export function listLimitOf(field: DescField): { maxItems: number; tooMany: string } | undefined {
  const rule = field.fieldKind === 'list' && !isOutputOnly(field) ? ruleOf(field) : undefined;
  if (rule?.maxItems === undefined) return undefined;
  const kind = field.message !== undefined ? 'batch' : rule.repeats === 'once' ? 'set' : 'list';
  return { maxItems: rule.maxItems * readTimes[kind], tooMany: itemsText(rule) };
}

/**
 * A text that is a little too long is named with what else is wrong. A longer one is not read: looking at each character
 * of megabytes, or normalising them, would keep all others waiting.
 */
const readBytes = 64 * 1024;

/** How many bytes of a text are read at all, and what is said of more; undefined where there is no limit. */
export function textLimitOf(field: DescField): { maxBytes: number; tooLong: string } | undefined {
  const isText = field.scalar === ScalarType.STRING && !isOutputOnly(field);
  const { minLength, maxLength, maxBytes } = (isText ? ruleOf(field) : undefined) ?? {};
  const most = maxLength ?? maxBytes;
  if (most === undefined) return undefined;
  const least = minLength !== undefined && minLength > 0 ? `${minLength} to` : 'at most';
  return {
    maxBytes: Math.max(readBytes, 4 * most),
    tooLong: maxLength === undefined ? `must have at most ${most} bytes` : `must have ${least} ${most} characters`,
  };
}

/** A field by the full name of its message and its own name. Throws when the contract has none. */
export function fieldOf(message: string, name: string): DescField {
  const field = fileRegistry.getMessage(message)?.fields.find((one) => one.name === name);
  if (field === undefined) throw new Error(`the contract has no field ${message}.${name}`);
  return field;
}
