import { readFileSync } from 'node:fs';
import type { DescMethod } from '@bufbuild/protobuf';

/** A JSON Schema of draft 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

interface OpenApi {
  paths: Record<string, { post: { requestBody: { content: Record<string, { schema: Schema }> } } }>;
  components: { schemas: Record<string, Schema> };
}

let loaded: OpenApi | undefined;

/** The document that the contract's generator writes: every field with its limits and its comment. */
function openApi(): OpenApi {
  loaded ??= JSON.parse(readFileSync(new URL('../../../proto/docs/openapi.json', import.meta.url), 'utf8')) as OpenApi;
  return loaded;
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The schema with what it refers to; its own keywords win. */
export function resolved(schema: Schema): Schema {
  const { $ref, ...own } = schema;
  if (typeof $ref !== 'string') return schema;
  const target = openApi().components.schemas[$ref.split('/').at(-1) ?? ''];
  if (target === undefined) throw new Error(`openapi.json has no ${$ref}`);
  return { ...resolved(target), ...own };
}

/** The schema of a method's request. */
export function requestSchema({ parent, name }: DescMethod): Schema {
  const path = `/${parent.typeName}/${name}`;
  const schema = openApi().paths[path]?.post.requestBody.content['application/json']?.schema;
  if (schema === undefined) throw new Error(`openapi.json has no request of ${path}`);
  return resolved(schema);
}

const propertiesOf = ({ properties }: Schema): Readonly<Record<string, Schema>> =>
  isSchema(properties) ? (properties as Record<string, Schema>) : {};

const requires = ({ required }: Schema, name: string): boolean => Array.isArray(required) && required.includes(name);

interface FieldSchema {
  schema: Schema;
  isRequired: boolean;
}

/** A field of a message by its path, and whether it must be there. Throws for one that the contract does not have. */
export function fieldSchema(message: Schema, path: readonly string[]): FieldSchema {
  return path.reduce<FieldSchema>(
    ({ schema, isRequired }, name) => {
      const field = propertiesOf(schema)[name];
      if (field === undefined) throw new Error(`openapi.json has no field ${path.join('.')}`);
      return { schema: resolved(field), isRequired: isRequired && requires(schema, name) };
    },
    { schema: message, isRequired: true },
  );
}

/** What agents and the libraries between can do something with. The server knows the rest, and refuses by it. */
const kept = new Set([
  ...['type', 'description', 'enum', 'format', 'minLength', 'maxLength', 'minItems', 'maxItems', 'minimum', 'maximum'],
  ...['pattern', 'default', 'required', 'additionalProperties'],
]);
/** Engines of other languages do not know classes of Unicode. */
const isPortable = (pattern: unknown): boolean => !String(pattern).includes('\\p{');
const isUnset = (name: unknown): boolean => String(name).endsWith('_UNSPECIFIED');
const isNoUnset = (line: string): boolean => !/_UNSPECIFIED`/.test(line);

function keep([keyword, value]: [string, unknown]): [string, unknown][] {
  if (!kept.has(keyword)) return [];
  if (keyword === 'pattern') return isPortable(value) ? [[keyword, value]] : [];
  if (keyword === 'format') return value === 'date-time' ? [[keyword, value]] : [];
  // Enums list their values there.
  if (keyword === 'description') return [[keyword, String(value).split('\n').filter(isNoUnset).join('\n')]];
  if (keyword === 'enum') return [[keyword, (value as unknown[]).filter((name) => !isUnset(name))]];
  return [[keyword, value]];
}

/** A schema that stands alone: nothing to look up, no fields that the server decides, no combinations. */
export function standalone(schema: Schema): Schema {
  const { properties, items, ...rest } = resolved(schema);
  const sent = isSchema(properties)
    ? Object.entries(properties as Record<string, Schema>).filter(([, field]) => field['readOnly'] !== true)
    : undefined;
  return {
    ...Object.fromEntries(Object.entries(rest).flatMap(keep)),
    ...(sent && { properties: Object.fromEntries(sent.map(([name, field]) => [name, standalone(field)])) }),
    ...(isSchema(items) && { items: standalone(items) }),
  };
}
