import { ScalarType, type DescField } from '@bufbuild/protobuf';
import { isRequired, ruleOf, type FieldRule } from '../../src/field-rules.ts';

/** A JSON Schema of draft 2020-12, which is what OpenAPI 3.1 has. */
export type Schema = Readonly<Record<string, unknown>>;

/** "Every text fits": with the flag u, as JSON Schema reads patterns. */
const withoutControls: Readonly<Record<FieldRule['characters'], string | undefined>> = {
  any: undefined,
  line: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
  lines: '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$',
};

/** Formats that JSON Schema names. */
const formats: Readonly<Record<string, string>> = { UUID: 'uuid', URL: 'uri', EMAIL: 'idn-email' };

/** Patterns of the contract match a whole text. Within JSON Schema a hyphen at the end of a class must be escaped. */
const whole = (pattern: string): string => `^(?:${pattern.replaceAll('-]', '\\-]')})$`;

const known = (schema: Record<string, unknown>): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));

/** One character that shows. */
const shown = '[^\\p{White_Space}\\p{Default_Ignorable_Code_Point}\\u2800]';

/**
 * A text that is set. White space around it may be taken away by the server, so what is only too long because of that is
 * refused here and taken there. A character has at least one byte.
 */
function textSchema({ format, pattern, minLength, maxLength, maxBytes, characters, visible }: FieldRule): Schema {
  const patterns = [pattern && whole(pattern), withoutControls[characters], visible ? shown : undefined].filter(
    (each) => each !== undefined,
  );
  return known({
    format: format === undefined ? undefined : formats[format],
    minLength: minLength > 0 ? minLength : undefined,
    maxLength: maxLength ?? maxBytes,
    pattern: patterns[0],
    allOf: patterns.length > 1 ? patterns.slice(1).map((each) => ({ pattern: each })) : undefined,
  });
}

/** An empty text is one that is not set. No format allows it, so the pattern alone tells what a text may be. */
function orEmpty({ format, ...schema }: Schema): Schema {
  if (schema.minLength !== undefined) return { anyOf: [{ maxLength: 0 }, known({ format, ...schema })] };
  const { pattern = '' } = schema as { pattern?: string };
  return new RegExp(pattern, 'u').test('') ? schema : { ...schema, pattern: pattern.replace(/\$$/, '?$') };
}

const base64Length = (bytes: number): number => Math.ceil(bytes / 3) * 4;

/** 64-bit numbers are texts in JSON. */
const bigNumber = ({ min }: FieldRule): Schema => (min === undefined || min < 1 ? {} : { pattern: '^[1-9][0-9]*$' });

function numberSchema(rule: FieldRule, isUnsetAllowed: boolean): Schema {
  const { min, max, clamped, defaultNumber } = rule;
  return known({
    minimum: isUnsetAllowed && min !== undefined ? Math.min(min, 0) : min,
    maximum: clamped ? undefined : max,
    default: defaultNumber,
  });
}

function scalarSchema(field: DescField, rule: FieldRule): Schema {
  switch (field.scalar) {
    case ScalarType.STRING: {
      const schema = textSchema(rule);
      return isRequired(field) || field.fieldKind === 'list' ? { minLength: 1, ...schema } : orEmpty(schema);
    }
    case ScalarType.BYTES:
      return known({
        minLength: rule.minBytes > 0 ? base64Length(rule.minBytes) : undefined,
        maxLength: rule.maxBytes === undefined ? undefined : base64Length(rule.maxBytes),
      });
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return bigNumber(rule);
    default:
      return field.scalar === undefined ? {} : numberSchema(rule, !isRequired(field));
  }
}

/** What of the rule is about the list itself. An empty list is one that is not set. */
export function listKeywords(field: DescField): Schema {
  const rule = ruleOf(field);
  return known({
    minItems: isRequired(field) ? Math.max(rule?.minItems ?? 0, 1) : undefined,
    maxItems: rule?.maxItems,
    uniqueItems: rule?.repeats === 'refused' ? true : undefined,
  });
}

/** What the rule adds to the type of a value: of a list, to that of an entry. */
export function valueKeywords(field: DescField): Schema {
  const rule = ruleOf(field);
  return rule === undefined ? {} : scalarSchema(field, rule);
}
