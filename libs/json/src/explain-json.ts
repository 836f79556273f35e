import {
  fromJson,
  ScalarType,
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonValue,
} from '@bufbuild/protobuf';
import { fileRegistry, listLimitOf } from '#libs/contract';
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

/** What is wrong with a request. */
export interface JsonFaults {
  readonly violations: FieldViolation[];
  /** These are only the first. */
  hasMore: boolean;
}

function report(faults: JsonFaults, field: string, description: string): void {
  if (faults.violations.length < maxViolations) faults.violations.push({ field, description });
  else faults.hasMore = true;
}

interface Place {
  parent: DescMessage;
  field: DescField;
  path: string;
}

function explainValue(faults: JsonFaults, { parent, field, path }: Place, json: JsonValue, asElement: boolean): void {
  if (isOrdinary(field.message)) explainMessage(faults, field.message, json, path);
  else if (!isReadable(parent, field, asElement ? [json] : json)) report(faults, path, ruleOf(field));
}

function explainField(faults: JsonFaults, place: Place, json: JsonValue): void {
  const { field, path } = place;
  if (json === null) return;
  if (field.fieldKind !== 'list') return explainValue(faults, place, json, false);
  if (!Array.isArray(json)) return report(faults, path, 'must be an array');
  const limit = listLimitOf(field);
  if (limit !== undefined && json.length > limit.maxItems) return report(faults, path, limit.tooMany);
  for (const [index, element] of json.entries()) {
    if (faults.hasMore) return;
    explainValue(faults, { ...place, path: `${path}[${index}]` }, element, true);
  }
}

/** A field that was given before, under its other name, or another of its oneof. */
function explainRepeat(faults: JsonFaults, { field, path }: Place, given: ReadonlySet<DescField>): void {
  const other = [...given].find((one) => one === field || (field.oneof !== undefined && one.oneof === field.oneof));
  if (other === field) report(faults, path, 'is there twice');
  else if (other !== undefined) report(faults, path, `must not be set together with ${other.name}`);
}

function explainMessage(faults: JsonFaults, message: DescMessage, json: JsonValue, path: string): void {
  if (!isObject(json)) return report(faults, path, 'must be an object');
  const given = new Set<DescField>();
  for (const [name, value] of Object.entries(json)) {
    if (faults.hasMore) return;
    const field = findField(message, name);
    if (field === undefined) {
      report(faults, join(path, short(name)), `is no field of ${message.name}`);
      continue;
    }
    const place = { parent: message, field, path: join(path, field.name) };
    if (value !== null) explainRepeat(faults, place, given);
    if (value !== null) given.add(field);
    explainField(faults, place, value);
  }
}

/** The path as in the .proto file, as far as the names are known. */
export function toFieldPath(message: DescMessage, path: JsonPath): string {
  let type: DescMessage | undefined = message;
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const field: DescField | undefined = type && findField(type, part);
    type = field?.message;
    return join(text, field?.name ?? short(part));
  }, '');
}

/** What keeps the JSON from being read as the message. `repeated` are members that the text has twice. */
export function explainJson(message: DescMessage, json: JsonValue, repeated: readonly JsonPath[]): JsonFaults {
  const faults: JsonFaults = { violations: [], hasMore: false };
  for (const path of repeated) report(faults, toFieldPath(message, path), 'is there twice');
  explainMessage(faults, message, json, '');
  return faults;
}
