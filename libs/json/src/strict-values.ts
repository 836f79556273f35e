import { ScalarType, type DescField, type DescMessage, type JsonValue } from '@bufbuild/protobuf';
import { JsonNumber, isJsonNumber, toWhole } from './json-number.ts';

/*
 * The library reads more than protobuf's JSON has: 2026-02-29 as the first of March, "0x5" and "+5" as 5, 1e-400 as the
 * whole number 0, "1sx" as a second, "Y=Q=" as no bytes. It also refuses "1e2" for 64 bits, which protobuf's JSON has.
 */

/** Stands for a value that is refused: no field can be read from it. */
const unreadable = Symbol('unreadable') as unknown as JsonValue;

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

function isTime(text: string): boolean {
  const [, year, month, day, hour] = (rfc3339.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || hour === undefined || hour > 23) return false;
  const date = new Date(0);
  // Unlike the constructor this does not take the years before 100 for those of the last century.
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

const span = /^-?\d+(\.\d{1,9})?s$/;
const standardBase64 = /^[A-Za-z0-9+/]*(={0,2})$/;
const urlBase64 = /^[A-Za-z0-9_-]*(={0,2})$/;

function isBase64(text: string): boolean {
  const padding = (standardBase64.exec(text) ?? urlBase64.exec(text))?.[1];
  if (padding === undefined) return false;
  return padding === '' ? text.length % 4 !== 1 : text.length % 4 === 0;
}

/** Longer than the names of all fields of any message. */
const maxMaskCharacters = 10_000;

const notNumbers = new Set(['NaN', 'Infinity', '-Infinity']);

/** A text or a number, as it is written; undefined for other values. */
function writtenAs(json: unknown): string | undefined {
  if (json instanceof JsonNumber) return json.source;
  return typeof json === 'string' ? json : undefined;
}

type Reader = (json: unknown) => JsonValue;

/** Whole numbers become texts, which the library reads exactly. */
const readWhole: Reader = (json) => {
  const text = writtenAs(json);
  if (text === undefined) return json as JsonValue;
  return toWhole(text)?.toString() ?? unreadable;
};

const readFraction: Reader = (json) => {
  const text = writtenAs(json);
  if (text === undefined || notNumbers.has(text)) return json as JsonValue;
  return isJsonNumber(text) ? Number(text) : unreadable;
};

/** Names stay; of numbers the library takes only those that are no texts. */
const readEnum: Reader = (json) => {
  if (!(json instanceof JsonNumber)) return json as JsonValue;
  const whole = toWhole(json.source);
  return whole === undefined ? unreadable : Number(whole);
};

const readText =
  (isRight: (text: string) => boolean): Reader =>
  (json) =>
    typeof json === 'string' && !isRight(json) ? unreadable : readOther(json);

const readOther: Reader = (json) => (json instanceof JsonNumber ? unreadable : (json as JsonValue));

/** google.protobuf.Value holds any JSON, whose numbers are fractions. */
const readAny: Reader = (json) => {
  if (json instanceof JsonNumber) return Number(json.source);
  if (typeof json !== 'object' || json === null) return json as JsonValue;
  if (Array.isArray(json)) return json.map(readAny);
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, readAny(value)]));
};

const wholes = [
  ...[ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32, ScalarType.UINT32, ScalarType.FIXED32],
  ...[ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64, ScalarType.UINT64, ScalarType.FIXED64],
];

const scalarReaders: ReadonlyMap<ScalarType, Reader> = new Map<ScalarType, Reader>([
  ...wholes.map((type) => [type, readWhole] as const),
  [ScalarType.FLOAT, readFraction],
  [ScalarType.DOUBLE, readFraction],
  [ScalarType.BYTES, readText(isBase64)],
]);

const messageReaders: ReadonlyMap<string, Reader> = new Map([
  ['google.protobuf.Timestamp', readText(isTime)],
  ['google.protobuf.Duration', readText((text) => span.test(text))],
  ['google.protobuf.FieldMask', readText((text) => text.length <= maxMaskCharacters)],
  ['google.protobuf.Value', readAny],
  ['google.protobuf.Struct', readAny],
  ['google.protobuf.ListValue', readAny],
]);

function readerOf({ enum: type, message, scalar }: DescField): Reader {
  if (message !== undefined) return messageReaders.get(message.typeName) ?? ((json) => readMessage(message, json));
  if (type !== undefined) return readEnum;
  return scalarReaders.get(scalar as ScalarType) ?? readOther;
}

const readField = (field: DescField, json: unknown): JsonValue =>
  field.fieldKind === 'list' && Array.isArray(json) ? json.map(readerOf(field)) : readerOf(field)(json);

const readMessage = (message: DescMessage, json: unknown): JsonValue =>
  json instanceof JsonNumber ? unreadable : readStrictly(message, json as JsonValue);

/** The JSON in a form that the library reads right, with values that it must refuse where the JSON has wrong ones. */
export function readStrictly(message: DescMessage, json: JsonValue): JsonValue {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  const members = Object.entries(json).map(([name, value]): [string, JsonValue] => {
    const field = message.fields.find((one) => one.jsonName === name || one.name === name);
    return [name, field === undefined ? value : readField(field, value)];
  });
  return Object.fromEntries(members);
}
