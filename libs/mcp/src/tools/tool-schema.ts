import { fieldSchema, requestSchema, resolved, standalone, type Schema } from '../contract-schema.ts';
import type { Shape, Tool } from './tool.ts';

/** The schema of what a shape takes; `message` is that of the request, or of an entry of a batch. */
function shapeSchema(shape: Shape, message: Schema): Schema & { type: 'object' } {
  const fields = shape.arguments.map(({ name, path, about, entries }) => {
    const { schema, isRequired } = fieldSchema(message, path);
    const words = about === undefined ? {} : { description: about };
    if (entries === undefined) return { name, isRequired, schema: { ...standalone(schema), ...words } };
    const items = shapeSchema(entries, resolved(schema['items'] as Schema));
    return { name, isRequired, schema: { ...standalone({ ...schema, items: {} }), items } };
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
  const schema = known.get(tool) ?? shapeSchema(tool, requestSchema(tool.method));
  known.set(tool, schema);
  return schema;
}
