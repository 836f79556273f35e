import { ScalarType, type DescEnum, type DescField, type DescMessage, type DescOneof } from '@bufbuild/protobuf';
import { isOneofRequired, isRequired, ruleOf } from '../../src/field-rules.ts';
import { fileRegistry } from '../../src/descriptors.ts';
import { behavior, behaviorsIn } from '../field-behavior.ts';
import { commentOf } from '../reference/comments.ts';
import { ruleText } from '../reference/rule-text.ts';
import { listKeywords, valueKeywords, type Schema } from './schema-of-rule.ts';

/** What a client sends, or what the server answers: the first is checked, the second may hold more some day. */
export type Direction = 'request' | 'answer';

/** The schema of another type; in a request what of its fields must be there, which depends on the method. */
export type Refer = (type: DescMessage | DescEnum, direction: Direction) => Schema;

const behaviorsOf = behaviorsIn(fileRegistry);

export const isOutputOnly = (field: DescField): boolean => behaviorsOf(field).includes(behavior.outputOnly);

const scalars: Readonly<Partial<Record<ScalarType, Schema>>> = {
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
  [ScalarType.INT32]: { type: 'integer', format: 'int32' },
  [ScalarType.UINT32]: { type: 'integer', format: 'uint32', minimum: 0 },
  [ScalarType.INT64]: { type: 'string', format: 'int64', pattern: '^-?[0-9]+$' },
  [ScalarType.UINT64]: { type: 'string', format: 'uint64', pattern: '^[0-9]+$' },
  [ScalarType.DOUBLE]: { type: 'number', format: 'double' },
  [ScalarType.FLOAT]: { type: 'number', format: 'float' },
};

/** Every date of ours is a whole one; the comments of Google's type allow parts of one. */
const dateParts = { year: [1, 9999], month: [1, 12], day: [1, 31] } as const;
const date = {
  type: 'object',
  description: 'A whole date of the Gregorian calendar.',
  properties: Object.fromEntries(
    Object.entries(dateParts).map(([part, [minimum, maximum]]) => [
      part,
      { type: 'integer', format: 'int32', minimum, maximum },
    ]),
  ),
  required: Object.keys(dateParts),
  additionalProperties: false,
};

const duration = { type: 'string', pattern: '^-?[0-9]+(?:\\.[0-9]{1,9})?s$', examples: ['3600s'] };

/** Types that have a form of their own in JSON. */
const wellKnown: Readonly<Record<string, Schema>> = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  'google.protobuf.Duration': duration,
  'google.type.Date': date,
  'google.protobuf.FieldMask': { type: 'string', examples: ['title,dueTime'] },
  'google.protobuf.Any': {
    type: 'object',
    properties: { '@type': { type: 'string' } },
    required: ['@type'],
  },
};

function scalarType(scalar: ScalarType): Schema {
  const schema = scalars[scalar];
  if (schema === undefined) throw new Error(`no schema is known of ${ScalarType[scalar]}`);
  return schema;
}

/** Without the values that are refused. */
function enumInRequest(field: DescField, type: DescEnum, refer: Refer): Schema {
  const { refusedValues = [] } = ruleOf(field) ?? {};
  const isUnsetRefused = isRequired(field) || field.fieldKind === 'list';
  const refused = [...(isUnsetRefused ? [type.values[0]?.name] : []), ...refusedValues];
  return refused.length > 0 ? { ...refer(type, 'request'), not: { enum: refused } } : refer(type, 'request');
}

function valueSchema(field: DescField, direction: Direction, refer: Refer): Schema {
  const isChecked = direction === 'request' && !isOutputOnly(field);
  if (field.message !== undefined) {
    const schema = wellKnown[field.message.typeName] ?? refer(field.message, direction);
    const { wholeSeconds } = ruleOf(field) ?? {};
    return isChecked && wholeSeconds ? { ...schema, pattern: '^[0-9]+s$' } : schema;
  }
  if (field.enum !== undefined)
    return isChecked ? enumInRequest(field, field.enum, refer) : refer(field.enum, direction);
  const schema = scalarType(field.scalar as ScalarType);
  return isChecked ? { ...schema, ...valueKeywords(field) } : schema;
}

/** In a request with its rule, as keywords and in words. */
export function fieldSchema(field: DescField, direction: Direction, refer: Refer): Schema {
  const value = valueSchema(field, direction, refer);
  const isSent = direction === 'request' && !isOutputOnly(field);
  const description = `${isSent ? ruleText(field) : ''}${commentOf(field)}`;
  const about = { description, ...(direction === 'request' && isOutputOnly(field) && { readOnly: true }) };
  if (field.fieldKind === 'map') return { type: 'object', additionalProperties: value, ...about };
  if (field.fieldKind !== 'list') return { ...value, ...about };
  return { type: 'array', items: value, ...(isSent && listKeywords(field)), ...about };
}

/** Of the fields of a oneof at most one may be there, and where the contract says so, one must. */
export function oneofKeywords(oneofs: readonly DescOneof[]): Schema {
  const rules = oneofs.flatMap((oneof): Schema[] => {
    const each = oneof.fields.map(({ jsonName }) => ({ required: [jsonName] }));
    const pairs = each.flatMap((one, index) =>
      each.slice(index + 1).map((other) => ({ not: { allOf: [one, other] } })),
    );
    return isOneofRequired(oneof) ? [{ oneOf: each }] : pairs;
  });
  return rules.length === 0 ? {} : { allOf: rules };
}
