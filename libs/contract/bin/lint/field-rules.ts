import { ScalarType, type DescField, type FileRegistry } from '@bufbuild/protobuf';
import { behavior, behaviorsIn } from '../field-behavior.ts';
import { ruleOf } from '../../src/field-rules.ts';
import { commentOf } from '../reference/comments.ts';
import { breaches, type Finding } from './finding.ts';
import { findReachable, type Reachable } from './reachable.ts';
import { checkRule } from './rule-of-field.ts';

const known = new Set<number>(Object.values(behavior));

const integers = [ScalarType.INT32, ScalarType.INT64, ScalarType.UINT32, ScalarType.UINT64];

/** Whole numbers that are no counts. */
const otherNumbers =
  /^max_|(^|_)(size|id|version|sequence|incarnation|number|code|attempt|bytes|percentage|threshold|hour)$/;

/** Names of fields that hold one of a few words. */
const words = /(^|_)(kinds?|states?|status|statuses|outcomes?|channels?|features?|roles?|types?|levels?|severity)$/;

/** The same by their full names, since other fields of the name are identifiers. */
const wordFields = ['taskflow.scheduler.v1.Schedule.job'];

const unitOfTime = /(^|_)(ms|millis|milliseconds|secs|seconds|minutes|hours|days)$/;

type FieldRule = (field: DescField) => (string | false | undefined)[];

const scalarOf = (field: DescField): ScalarType | undefined =>
  field.fieldKind === 'scalar' || (field.fieldKind === 'list' && field.listKind === 'scalar')
    ? field.scalar
    : undefined;

const messageOf = (field: DescField): string | undefined => field.message?.typeName;

const isInteger = (field: DescField): boolean => {
  const scalar = scalarOf(field);
  return scalar !== undefined && integers.includes(scalar);
};

const times: FieldRule = (field) => {
  const isTime = messageOf(field) === 'google.protobuf.Timestamp';
  const isCalled = /_times?$/.test(field.name);
  return [
    isTime && !isCalled && 'a Timestamp has a name that ends in _time',
    !isTime && isCalled && 'what ends in _time is a Timestamp',
    isInteger(field) && unitOfTime.test(field.name) && 'a span of time is a google.protobuf.Duration',
  ];
};

const counts: FieldRule = (field) => [
  isInteger(field) &&
    !field.name.endsWith('_count') &&
    !otherNumbers.test(field.name) &&
    !unitOfTime.test(field.name) &&
    'a count has a name that ends in _count',
];

const enums: FieldRule = (field) => [
  scalarOf(field) === ScalarType.STRING &&
    (words.test(field.name) || wordFields.includes(`${field.parent.typeName}.${field.name}`)) &&
    'one of a few words is an enum, not a string',
];

/** Pages end with an empty next_page_token, and in no other way. */
const ends: FieldRule = (field) => [
  scalarOf(field) === ScalarType.BOOL &&
    /^(has_)?(more|next)$/.test(field.name) &&
    'whether there is more is told by next_page_token',
];

function behaviors(registry: FileRegistry, reachable: Reachable): FieldRule {
  const behaviorsOf = behaviorsIn(registry);
  return (field) => {
    const declared = behaviorsOf(field);
    const { fromRequests, fromAnswers } = reachable;
    const onlyInAnswers = fromAnswers.has(field.parent.typeName) && !fromRequests.has(field.parent.typeName);
    return [
      !declared.some((one) => known.has(one)) && 'needs google.api.field_behavior',
      declared.length > 0 &&
        onlyInAnswers &&
        !declared.includes(behavior.outputOnly) &&
        'stands only in answers, so it is OUTPUT_ONLY',
    ];
  };
}

/** What a client may set says what it must hold; what only the server sets has no rule that anybody would check. */
function limits(registry: FileRegistry, { fromRequests }: Reachable): FieldRule {
  const behaviorsOf = behaviorsIn(registry);
  return (field) => {
    const isSent = fromRequests.has(field.parent.typeName) && !behaviorsOf(field).includes(behavior.outputOnly);
    if (isSent) return checkRule(field);
    return [ruleOf(field) !== undefined && 'no client sends it, so it needs no (taskflow.policy.v1.field)'];
  };
}

const outputOnlyInWords: FieldRule = (field) => [
  /\boutput only\b/i.test(commentOf(field)) && 'the comment repeats field_behavior; say nothing of "Output only"',
];

/** The rules of fields, in the public services or in all. */
export function fieldRules(registry: FileRegistry): (field: DescField) => Finding[] {
  const reachable = findReachable(registry);
  const rules: Record<string, FieldRule> = {
    'field-behavior': behaviors(registry, reachable),
    'output-only-in-words': outputOnlyInWords,
    'field-limits': limits(registry, reachable),
    times,
    counts,
    enums,
  };
  return (field) => {
    const subject = `${field.parent.name}.${field.name}`;
    const isInternal = !reachable.fromPublic.has(field.parent.typeName);
    const applied = isInternal ? rules : { ...rules, 'one-paging-idiom': ends };
    return Object.entries(applied).flatMap(([rule, check]) =>
      breaches(rule, { file: field.parent.file, subject }, check(field)),
    );
  };
}
