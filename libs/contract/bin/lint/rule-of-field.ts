import { ScalarType, type DescField } from '@bufbuild/protobuf';
import { ruleOf, type FieldRule } from '../../src/field-rules.ts';

type Holds = 'text' | 'bytes' | 'number' | 'time' | 'span' | 'list';

const messages: Readonly<Record<string, Holds>> = {
  'google.protobuf.Timestamp': 'time',
  'google.type.Date': 'time',
  'google.protobuf.Duration': 'span',
};

function ofScalar(scalar: ScalarType): Holds | undefined {
  if (scalar === ScalarType.STRING) return 'text';
  if (scalar === ScalarType.BYTES) return 'bytes';
  return scalar === ScalarType.BOOL ? undefined : 'number';
}

/** What of a field needs a limit: of a list its length, and what its entries are. */
function holdsOf(field: DescField): Holds[] {
  if (field.fieldKind === 'map') return ['list'];
  const list: Holds[] = field.fieldKind === 'list' ? ['list'] : [];
  const type = field.scalar === undefined ? messages[field.message?.typeName ?? ''] : ofScalar(field.scalar);
  return type === undefined ? list : [...list, type];
}

/** Which rules limit what. */
const limits: Readonly<Record<Holds, readonly (keyof FieldRule)[]>> = {
  text: ['maxLength', 'maxBytes', 'pattern'],
  bytes: ['maxBytes'],
  number: ['min', 'max'],
  time: ['minTime', 'endTime'],
  span: ['maxSpanMs'],
  list: ['maxItems'],
};

const needs: Readonly<Record<Holds, string>> = {
  text: 'text needs a limit: max_length, max_bytes, pattern or a format that has one',
  bytes: 'bytes need max_bytes',
  number: 'a number needs min or max',
  time: 'a time needs min_time or end_time',
  span: 'a span needs max_span',
  list: 'a list needs max_items',
};

const isGiven = (rule: FieldRule, name: keyof FieldRule): boolean => rule[name] !== undefined;

/** What is wrong with the rule of a field that a client may set. */
export function checkRule(field: DescField): string[] {
  const holds = holdsOf(field);
  const rule = ruleOf(field);
  if (rule === undefined)
    return holds.map((each) => `${needs[each]}, in (taskflow.policy.v1.field), or says why it is unlimited`);
  const missing = holds.filter((each) => !limits[each].some((name) => isGiven(rule, name)));
  const ofOthers = (Object.keys(limits) as Holds[])
    .filter((each) => !holds.includes(each))
    .flatMap((each) => limits[each].filter((name) => isGiven(rule, name)))
    .filter((name) => !holds.some((each) => limits[each].includes(name)));
  return [
    ...(rule.unlimited === '' ? missing.map((each) => `${needs[each]}, or says why it is unlimited`) : []),
    ...(rule.unlimited !== '' && missing.length === 0 ? ['it has a limit, so it is not unlimited'] : []),
    ...ofOthers.map((name) => `its type has no ${name}`),
  ];
}
