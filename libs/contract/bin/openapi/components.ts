import type { DescEnum, DescMessage, DescMethod } from '@bufbuild/protobuf';
import { isRequired } from '../../src/field-rules.ts';
import { commentOf } from '../reference/comments.ts';
import { fieldSchema, oneofKeywords, type Direction, type Refer } from './schema-of-field.ts';
import type { Schema } from './schema-of-rule.ts';

/** The schemas of types that methods refer to, each once. */
export interface Components {
  /** A reference to the schema of what a method takes or answers. */
  refer: Refer;
  /** Everything that was referred to, by name. */
  schemas: () => Record<string, Schema>;
}

const place = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** A resource, whose fields an update sends in part, has an id of its own. */
const isResource = (message: DescMessage): boolean => message.fields.some(({ name }) => name === 'id');

const requiredOf = (message: DescMessage): string[] =>
  message.fields.filter(isRequired).map(({ jsonName }) => jsonName);

const isUpdate = (request: DescMessage): boolean => request.fields.some(({ name }) => name === 'update_mask');

const enumSchema = (type: DescEnum): Schema => ({
  type: 'string',
  enum: type.values.map(({ name }) => name),
  description: [commentOf(type), ...type.values.map((value) => `- \`${value.name}\`: ${commentOf(value)}`)].join('\n'),
});

/**
 * Messages that stand in requests and in answers have a schema for each: only that of requests has limits. Of a resource
 * the request says which fields must be there: in an update its id, elsewhere the REQUIRED ones.
 */
export function createComponents(methods: readonly DescMethod[]): Components {
  const inAnswers = new Set<string>();
  const collect = (message: DescMessage): void => {
    if (inAnswers.has(message.typeName)) return;
    inAnswers.add(message.typeName);
    for (const { message: inner } of message.fields) if (inner !== undefined) collect(inner);
  };
  for (const { output } of methods) collect(output);
  const schemas = new Map<string, Schema>();
  const nameOf = ({ typeName }: DescMessage | DescEnum, direction: Direction): string =>
    direction === 'request' && inAnswers.has(typeName) ? `${typeName}Input` : typeName;

  const refer: Refer = (type, direction) => {
    const name = nameOf(type, direction);
    if (!schemas.has(name)) {
      // Before its fields are read: a message may hold itself.
      schemas.set(name, {});
      schemas.set(name, type.kind === 'enum' ? enumSchema(type) : messageSchema(type, direction));
    }
    return place(name);
  };

  function messageSchema(message: DescMessage, direction: Direction): Schema {
    const properties = Object.fromEntries(
      message.fields.map((field) => [
        field.jsonName,
        { ...fieldSchema(field, direction, refer), ...(direction === 'request' && requiredIn(message, field.message)) },
      ]),
    );
    const required = direction === 'request' && !isResource(message) ? requiredOf(message) : [];
    return {
      type: 'object',
      description: commentOf(message),
      properties,
      ...(required.length > 0 && { required }),
      ...(direction === 'request' && { additionalProperties: false, ...oneofKeywords(message.oneofs) }),
    };
  }

  return { refer, schemas: () => Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** What of a resource must be in a request. */
function requiredIn(request: DescMessage, resource: DescMessage | undefined): Schema | undefined {
  if (resource === undefined || !isResource(resource)) return undefined;
  const required = isUpdate(request) ? ['id'] : requiredOf(resource);
  return required.length > 0 ? { required } : undefined;
}
