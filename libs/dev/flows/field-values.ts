import { randomBytes, randomUUID } from 'node:crypto';
import { create, ScalarType, type DescEnum, type DescField } from '@bufbuild/protobuf';
import { isRequired, ruleOf, type FieldRule } from '#libs/contract';

/** Values of one field by its rule: those that it may just hold, and those just beyond. */
export interface FieldValues {
  kept: unknown[];
  broken: unknown[];
}

const nobodys: Readonly<Record<string, string>> = {
  UUID: '0198c0de-0000-7000-8000-00000000000A',
  TIME_ZONE: 'Europe/Berlin',
  LANGUAGE_TAG: 'en-GB',
  CRON: '0 9 * * *',
};

const url = 'https://hooks.invalid/';

/** A text of so many characters that is no common password. */
const textOf = (length: number): string =>
  randomBytes(length)
    .toString('hex')
    .replace(/^[0-9]/, 'k')
    .slice(0, length);

function longest({ format, maxLength, maxBytes, pattern }: FieldRule): string | undefined {
  if (format === 'URL') return url + textOf((maxLength ?? 0) - url.length);
  if (format === 'EMAIL') return undefined;
  if (format !== undefined && format in nobodys) return nobodys[format];
  const lengths = [maxLength ?? maxBytes, 128, 63].filter((length) => length !== undefined);
  return lengths.map(textOf).find((text) => pattern === undefined || new RegExp(`^(?:${pattern})$`).test(text));
}

const strange = ['!', 'x y', 'X-1', 'x'.repeat(64), 'x'.repeat(129), 'a\u0007b'];

const controls = { any: [], line: ['a\u0007b', 'a\nb', 'a\u0085b'], lines: ['a\u0007b'] };

function textValues(rule: FieldRule): { kept: string[]; broken: string[] } {
  const { minLength, maxLength, maxBytes, pattern, trimmed, visible, characters } = rule;
  const text = longest(rule);
  const spaced = text === undefined ? [] : [` ${text} `];
  const isShort = minLength > 1;
  const fits = new RegExp(`^(?:${pattern ?? '[^]*'})$`);
  return {
    kept: [text, ...(trimmed ? spaced : [])].filter((value) => value !== undefined),
    broken: [
      ...(isShort ? [textOf(minLength - 1)] : []),
      ...(maxLength === undefined ? [] : [textOf(maxLength + 1)]),
      ...(maxBytes === undefined ? [] : [textOf(maxBytes + 1), 'é'.repeat(maxBytes / 2 + 1)]),
      ...strange.filter((value) => !fits.test(value)),
      ...(trimmed ? [] : spaced.filter((value) => !fits.test(value))),
      ...(visible ? ['\u200b\u2060'] : []),
      ...controls[characters],
    ],
  };
}

function numberValues(
  { min, max, clamped, defaultNumber }: FieldRule,
  toType: (value: number) => unknown,
): FieldValues {
  const kept = [min, max, clamped && max !== undefined ? max + 1 : undefined].filter((value) => value !== undefined);
  const broken = [min === undefined ? undefined : min - 1, max === undefined || clamped ? undefined : max + 1];
  return {
    kept: kept.map(toType),
    broken: broken
      .filter((value) => value !== undefined)
      .filter((value) => value !== 0 || defaultNumber === undefined)
      .map(toType),
  };
}

const seconds = (ms: number): { seconds: bigint; nanos: number } => ({
  seconds: BigInt(Math.floor(ms / 1000)),
  nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000,
});

const dateOf = (ms: number) => {
  const date = new Date(ms);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
};

const day = 86_400_000;

/** Times, dates and spans. */
function messageValues(field: DescField & { fieldKind: 'message' }, rule: FieldRule): FieldValues {
  const { minTime, endTime, minSpanMs, maxSpanMs, wholeSeconds } = rule;
  const make = (values: Record<string, unknown>): unknown => create(field.message, values);
  if (minTime !== undefined && endTime !== undefined) {
    const [first, end] = [minTime.getTime(), endTime.getTime()];
    return field.message.typeName === 'google.type.Date'
      ? { kept: [first, end - day].map(dateOf).map(make), broken: [first - day, end].map(dateOf).map(make) }
      : { kept: [first, end - 1].map(seconds).map(make), broken: [first - 1].map(seconds).map(make) };
  }
  if (minSpanMs === undefined || maxSpanMs === undefined) return { kept: [], broken: [] };
  const broken = [minSpanMs - 1000, maxSpanMs + 1000, ...(wholeSeconds ? [minSpanMs + 1] : [])];
  return {
    kept: [minSpanMs, maxSpanMs].map((ms) => make({ seconds: BigInt(ms / 1000) })),
    broken: broken.map((ms) => make(ms < 0 ? { seconds: BigInt(ms / 1000) } : seconds(ms))),
  };
}

/** Entries that are all different and right. */
function entriesOf(rule: FieldRule, count: number): string[] {
  if (rule.format === 'UUID') return Array.from({ length: count }, () => randomUUID());
  return Array.from({ length: count }, (_, index) => `entry ${index}`);
}

function listValues(rule: FieldRule): FieldValues {
  const { minItems, maxItems } = rule;
  const { kept, broken } = textValues(rule);
  const bounds = maxItems === undefined ? [] : [maxItems];
  return {
    kept: [...bounds.map((count) => entriesOf(rule, count)), ...kept.map((text) => [text])],
    broken: [
      ...bounds.map((count) => entriesOf(rule, count + 1)),
      ...(minItems > 0 ? [[]] : []),
      ...broken.map((text) => [text]),
    ],
  };
}

const unknownValue = 999;

/** Numbers of the values of an enum; in a list each alone. */
function enumValues(type: DescEnum, field: DescField): FieldValues {
  const { refusedValues = [] } = ruleOf(field) ?? {};
  const refused = type.values.filter(({ name }) => refusedValues.includes(name)).map(({ number }) => number);
  const isList = field.fieldKind === 'list';
  const unspecified = isList || isRequired(field) ? [0] : [];
  const known = type.values.find(({ number }) => number !== 0 && !refused.includes(number))?.number;
  const toField = (number: number): unknown => (isList ? [number] : number);
  return {
    kept: known === undefined ? [] : [toField(known)],
    broken: [...new Set([unknownValue, ...refused, ...unspecified])].map(toField),
  };
}

/** Of a field that is no list. */
function scalarValues(field: DescField, rule: FieldRule): FieldValues {
  if (field.scalar === ScalarType.STRING) {
    const { kept, broken } = textValues(rule);
    return { kept, broken: isRequired(field) ? ['', ...broken] : broken };
  }
  if (field.scalar !== ScalarType.BYTES) return numberValues(rule, field.scalar === ScalarType.INT32 ? Number : BigInt);
  const { minBytes, maxBytes = 0 } = rule;
  return { kept: [minBytes, maxBytes].map((size) => randomBytes(size)), broken: [randomBytes(maxBytes + 1)] };
}

/** Seconds that are beyond every time or span. */
const beyond: Readonly<Record<string, bigint>> = {
  'google.protobuf.Timestamp': 253_402_300_800n,
  'google.protobuf.Duration': 315_576_000_001n,
};

/** A value that is refused by itself: a time that is none, one bad entry of a list. Undefined where there is none. */
export function faultOf(field: DescField): unknown {
  const seconds = field.fieldKind === 'message' ? beyond[field.message.typeName] : undefined;
  if (field.fieldKind === 'message' && seconds !== undefined) return create(field.message, { seconds });
  return valuesOf(field).broken.find((value) => !Array.isArray(value) || value.length === 1);
}

/** What a field may just hold, and what not, of the kinds of rules that values can be made of. */
export function valuesOf(field: DescField): FieldValues {
  const rule = ruleOf(field);
  if (field.enum !== undefined && field.fieldKind !== 'map') return enumValues(field.enum, field);
  if (rule === undefined) return { kept: [], broken: [] };
  if (field.fieldKind === 'message') return messageValues(field, rule);
  if (field.fieldKind !== 'list') return scalarValues(field, rule);
  return field.scalar === ScalarType.STRING ? listValues(rule) : { kept: [], broken: [] };
}
