import { fieldSchema, requestSchema, resolved, standalone, type Schema } from '../contract-schema.ts';
import { inToolWords } from './argument-names.ts';
import type { Shape, Tool } from './tool.ts';

/** With the names that agents use in all descriptions. */
function inWordsOf({ method }: Pick<Tool, 'method'>, schema: Schema): Schema {
  const { description, properties, items } = schema;
  const fields = Object.entries((properties ?? {}) as Record<string, Schema>);
  return {
    ...schema,
    ...(typeof description === 'string' && { description: inToolWords(method, description) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(fields.map(([name, field]) => [name, inWordsOf({ method }, field)])),
    }),
    ...(items !== undefined && { items: inWordsOf({ method }, items as Schema) }),
  };
}

/** The schema of what a shape takes; `message` is that of the request, or of an entry of a batch. */
function shapeSchema(shape: Shape, message: Schema): Schema & { type: 'object' } {
  const fields = shape.arguments.map(({ name, path, about, entries }) => {
    const { schema, isRequired } = fieldSchema(message, path);
    const words = about === undefined ? {} : { description: about };
    if (entries === undefined) return { name, isRequired, schema: { ...standalone(schema), ...words } };
    const items = shapeSchema(entries, resolved(schema['items'] as Schema));
    return { name, isRequired, schema: { ...standalone({ ...schema, items: {} }), ...words, items } };
  });
  const required = fields.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(({ name, schema }) => [name, schema])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

const known = new Map<Tool, Schema & { type: 'object' }>();

/** What a tool takes, by the rules of the contract. */
export function toolSchema(tool: Tool): Schema & { type: 'object' } {
  const schema = known.get(tool) ?? {
    ...inWordsOf(tool, shapeSchema(tool, requestSchema(tool.method))),
    type: 'object',
  };
  known.set(tool, schema);
  return schema;
}
