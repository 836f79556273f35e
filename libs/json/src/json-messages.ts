import { fromBinary, fromJson, toBinary, toJsonString, type DescMessage, type JsonValue } from '@bufbuild/protobuf';
import { fileRegistry } from '#libs/contract';
import { AppError, invalidFields } from '#libs/errors';
import { explainJson, toFieldPath, type JsonFaults } from './explain-json.ts';
import { parseWithNumbers } from './json-number.ts';
import { scanJson, type JsonScan } from './scan-json.ts';
import { readStrictly } from './strict-values.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

const malformed = (message: string, cause?: unknown): AppError =>
  new AppError('invalid_argument', 'MALFORMED_REQUEST', message, { cause });

function readText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw malformed('the request is not valid UTF-8');
  }
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw malformed('the request is not valid JSON');
  }
}

function refuse({ violations, hasMore }: JsonFaults): void {
  if (violations.length > 0) throw invalidFields(violations, { hasMore });
}

/** Before anything is made of the text: what would cost too much is refused unread. */
function scan(message: DescMessage, text: string): JsonScan {
  const scanned = scanJson(text);
  if (scanned.isTooDeep) throw malformed('the JSON is nested too deeply');
  const { tooManyIn } = scanned;
  if (tooManyIn?.length === 0) throw malformed('the JSON has too many values');
  if (tooManyIn !== undefined)
    throw invalidFields([
      { field: toFieldPath(message, tooManyIn), description: 'reading stopped here: the JSON has too many values' },
    ]);
  return scanned;
}

/**
 * Encodes a request that came as JSON. Throws INVALID_FIELD with every member that is unknown, there twice, of another
 * type or out of range, the first hundred when they are more, and MALFORMED_REQUEST for what is no JSON.
 */
export function encodeFromJson(message: DescMessage, bytes: Uint8Array): Buffer {
  const text = readText(bytes);
  const { repeated, hasOddNumbers } = scan(message, text);
  const parsed = parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw malformed('the JSON must be an object');
  const json = readStrictly(message, hasOddNumbers ? (parseWithNumbers(text) as JsonValue) : parsed);
  if (repeated.length > 0) refuse(explainJson(message, json, repeated));
  try {
    return Buffer.from(toBinary(message, fromJson(message, json, { registry: fileRegistry })));
  } catch {
    // protobuf stops at the first fault and does not say where it is.
    refuse(explainJson(message, json, []));
    throw malformed(`the JSON is no ${message.name}`);
  }
}

/** An answer as JSON. As everywhere in protobuf's JSON, fields with their default values are left out. */
export function decodeToJson(message: DescMessage, bytes: Uint8Array): string {
  return toJsonString(message, fromBinary(message, bytes), { registry: fileRegistry });
}
