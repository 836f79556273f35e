import {
  fromJson,
  ScalarType,
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonValue,
} from '@bufbuild/protobuf';
import { fileRegistry } from '#libs/contract';
import type { FieldViolation } from '#libs/errors';
import type { JsonPath } from './scan-json.ts';

/** What protobuf's JSON says of a type, in words. */
const scalarRules: Partial<Record<ScalarType, string>> = {
  [ScalarType.STRING]: 'must be a string of valid Unicode',
  [ScalarType.BOOL]: 'must be true or false',
  [ScalarType.BYTES]: 'must be a string in base64',
  [ScalarType.INT32]: 'must be a whole number from -2147483648 to 2147483647',
  [ScalarType.UINT32]: 'must be a whole number from 0 to 4294967295',
  [ScalarType.INT64]: 'must be a whole number of 64 bits, as a string',
  [ScalarType.UINT64]: 'must be a whole number of 64 bits that is not negative, as a string',
  [ScalarType.FLOAT]: 'must be a number',
  [ScalarType.DOUBLE]: 'must be a number',
};

const messageRules: Readonly<Record<string, string>> = {
  'google.protobuf.Timestamp': 'must be a time such as "2026-01-31T09:30:00Z"',
  'google.protobuf.Duration': 'must be a span of seconds such as "90s" or "0.5s"',
  'google.protobuf.FieldMask': 'must be names of fields in one string, joined by commas, such as "title,dueTime"',
};

const enumRule = ({ values }: DescEnum): string => `must be one of ${values.map(({ name }) => name).join(', ')}`;

function ruleOf({ enum: type, message, scalar }: DescField): string {
  if (type !== undefined) return enumRule(type);
  if (message !== undefined) return messageRules[message.typeName] ?? 'must be an object';
  return (scalar === undefined ? undefined : scalarRules[scalar]) ?? 'has a value of another type';
}

const isObject = (json: JsonValue): json is Record<string, JsonValue> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const findField = ({ fields }: DescMessage, name: string): DescField | undefined =>
  fields.find((field) => field.jsonName === name || field.name === name);

const isReadable = (parent: DescMessage, field: DescField, json: JsonValue): boolean => {
  try {
    fromJson(parent, { [field.name]: json }, { registry: fileRegistry });
    return true;
  } catch {
    return false;
  }
};

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** A name that a client made up may be long. */
const short = (name: string): string => name.toWellFormed().slice(0, 100);

/** Whose fields stand in the JSON one by one. Those of google.protobuf and google.type have forms of their own. */
const isOrdinary = (message: DescMessage | undefined): message is DescMessage =>
  message !== undefined && !message.typeName.startsWith('google.protobuf.');

/** More than anybody reads. Looking for all of them would take minutes in a request made for that. */
const maxViolations = 100;

interface Place {
  parent: DescMessage;
  field: DescField;
  path: string;
}

function explainValue({ parent, field, path }: Place, json: JsonValue, asElement: boolean): FieldViolation[] {
  if (isOrdinary(field.message)) return explainMessage(field.message, json, path);
  return isReadable(parent, field, asElement ? [json] : json) ? [] : [{ field: path, description: ruleOf(field) }];
}

function explainField(place: Place, json: JsonValue): FieldViolation[] {
  const { field, path } = place;
  if (json === null) return [];
  if (field.fieldKind !== 'list') return explainValue(place, json, false);
  if (!Array.isArray(json)) return [{ field: path, description: 'must be an array' }];
  const violations: FieldViolation[] = [];
  for (const [index, element] of json.entries()) {
    if (violations.length >= maxViolations) break;
    violations.push(...explainValue({ ...place, path: `${path}[${index}]` }, element, true));
  }
  return violations;
}

/** A field that was given before, under its other name, or another of its oneof. */
function explainRepeat({ field, path }: Place, given: ReadonlySet<DescField>): FieldViolation[] {
  const other = [...given].find((one) => one === field || (field.oneof !== undefined && one.oneof === field.oneof));
  if (other === undefined) return [];
  const description = other === field ? 'is there twice' : `must not be set together with ${other.name}`;
  return [{ field: path, description }];
}

/** No message has so many fields: among more members there are unknown ones, and naming all of them helps nobody. */
const maxMembers = 500;

/** What keeps the JSON from being read as the message; not all of it when that is a lot. */
export function explainMessage(message: DescMessage, json: JsonValue, path = ''): FieldViolation[] {
  if (!isObject(json)) return [{ field: path, description: 'must be an object' }];
  const given = new Set<DescField>();
  return Object.entries(json)
    .slice(0, maxMembers)
    .flatMap(([name, value]) => {
      const field = findField(message, name);
      if (field === undefined)
        return [{ field: join(path, short(name)), description: `is no field of ${message.name}` }];
      const place = { parent: message, field, path: join(path, field.name) };
      const repeats = value === null ? [] : explainRepeat(place, given);
      if (value !== null) given.add(field);
      return [...repeats, ...explainField(place, value)];
    });
}

/** The path as in the .proto file, as far as the names are known. */
function toFieldPath(message: DescMessage, path: JsonPath): string {
  let type: DescMessage | undefined = message;
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const field: DescField | undefined = type && findField(type, part);
    type = field?.message;
    return join(text, field?.name ?? short(part));
  }, '');
}

export function explainRepeated(message: DescMessage, paths: readonly JsonPath[]): FieldViolation[] {
  return paths
    .slice(0, maxViolations)
    .map((path) => ({ field: toFieldPath(message, path), description: 'is there twice' }));
}
