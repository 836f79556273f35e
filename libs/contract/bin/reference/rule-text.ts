import type { DescField } from '@bufbuild/protobuf';
import { ruleOf, type FieldRule } from '../../src/field-rules.ts';
import { spanRangeText } from '../../src/span-text.ts';
import { commentOf } from './comments.ts';

const grouped = (value: number): string => value.toLocaleString('en').replaceAll(',', ' ');

const counted = (count: number, one: string): string => `${grouped(count)} ${one}${count === 1 ? '' : 's'}`;

/** "1 to 200 characters", "at most 64 characters"; undefined without limits. */
function rangeText(min: number, max: number | undefined, unit: string): string | undefined {
  if (max === undefined) return min > 0 ? `at least ${counted(min, unit)}` : undefined;
  if (min === max) return counted(max, unit);
  return min > 0 ? `${grouped(min)} to ${counted(max, unit)}` : `at most ${counted(max, unit)}`;
}

const formats: Readonly<Record<string, string>> = {
  UUID: 'a UUID',
  REQUEST_ID: '1 to 128 characters from A-Z a-z 0-9 . _ -',
  EMAIL: 'an e-mail address',
  TIME_ZONE: 'an IANA time zone',
  LANGUAGE_TAG: 'a BCP 47 language tag',
  CRON: 'a cron expression',
  URL: 'a URL',
};

const characters = {
  any: undefined,
  line: 'no control characters',
  lines: 'no control characters but line breaks and tabs',
};

function textParts({ format, pattern, minLength, maxLength, maxBytes, minBytes, ...rule }: FieldRule): Part[] {
  return [
    format === undefined ? pattern && `matches \`${pattern}\`` : formats[format],
    rangeText(minLength, maxLength, 'character'),
    rangeText(minBytes, maxBytes, 'byte'),
    rule.trimmed && 'trimmed',
    rule.visible && 'with something that shows',
    characters[rule.characters],
  ];
}

type Part = string | false | undefined;

function numberText({ min, max, clamped, defaultNumber }: FieldRule): Part[] {
  return [
    min !== undefined && max === undefined && `at least ${grouped(min)}`,
    min === undefined && max !== undefined && `at most ${grouped(max)}`,
    min !== undefined && max !== undefined && `${min} to ${grouped(max)}`,
    clamped && max !== undefined && `more is taken as ${grouped(max)}`,
    defaultNumber !== undefined && `unset means ${grouped(defaultNumber)}`,
  ];
}

/** Times that stand at the beginning of a day are named by it. */
const timeText = (time: Date): string =>
  time.toISOString().replace(/^\+0/, '').replace('T00:00:00.000Z', '').replace('.000Z', 'Z');

function timeParts({ minTime, endTime, minSpanMs, maxSpanMs, wholeSeconds }: FieldRule): Part[] {
  return [
    minTime && `from ${timeText(minTime)} on`,
    endTime && `before ${timeText(endTime)}`,
    maxSpanMs !== undefined && spanRangeText(minSpanMs ?? 0, maxSpanMs, wholeSeconds),
  ];
}

const repeats = { kept: undefined, once: 'repeats count once', refused: 'each once' };

const join = (parts: readonly Part[]): string =>
  parts.filter((part) => typeof part === 'string' && part !== '').join(', ');

/** What a field must hold, as a sentence: "1 to 200 characters, trimmed, no control characters. " */
export function ruleText(field: DescField): string {
  const declared = ruleOf(field);
  if (declared === undefined) return '';
  // Its comment says whose UUID it is.
  const rule = /^UUID\b/.test(commentOf(field)) ? { ...declared, format: undefined, pattern: undefined } : declared;
  const entry = join([...textParts(rule), ...numberText(rule), ...timeParts(rule)]);
  const refused = rule.refusedValues.map((value) => `\`${value}\``).join(' or ');
  const items = rangeText(rule.minItems, rule.maxItems, 'entry')?.replace(/entrys$/, 'entries');
  const list = join([items, repeats[rule.repeats]]);
  const text = [
    list,
    list !== '' && entry !== '' ? `each ${entry}` : entry,
    refused === '' ? '' : `not ${refused}`,
    rule.also,
  ]
    .filter((part) => part !== '')
    .join('; ');
  return text === '' ? '' : `${text.replace(/^[a-z]/, (letter) => letter.toUpperCase())}. `;
}
