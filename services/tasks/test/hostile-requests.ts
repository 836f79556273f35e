import { create, ScalarType, toBinary, type DescField, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { fileRegistry } from '#libs/contract';

/** Requests made from the contract: every field of every message, with values that are right, nearly right and absurd. */

export interface HostileMethod {
  path: string;
  isStream: boolean;
  /** Its request has no fields, so that none can be wrong. */
  takesNothing: boolean;
  requests: fc.Arbitrary<Uint8Array>;
}

/** Values that exist, so that requests pass the first check. */
export interface Known {
  ids: string[];
  /** Page and resume tokens of the caller. */
  tokens: string[];
}

const absurd = [
  '',
  ' ',
  '\0',
  '%',
  '_',
  '\\',
  "'",
  '"',
  '*',
  ':*',
  '&|!()<->',
  "'; drop table tasks; --",
  '$1',
  '{}',
  '{a,b}',
  'ﷺ'.repeat(50),
  '\u202e',
  '👩‍👩‍👧',
  'İıß',
  '\u0085',
  'a'.repeat(10_001),
  '-'.repeat(200),
  '../..',
  'null',
];
const hostileText = fc.oneof(
  fc.constantFrom(...absurd),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 200 }),
);
const orders = fc
  .array(
    fc.tuple(
      fc.constantFrom('create_time', 'update_time', 'due_time', 'priority', 'title', 'id', ''),
      fc.constantFrom('', ' desc', ' asc', '  desc '),
    ),
    { maxLength: 4 },
  )
  .map((terms) => terms.map((term) => term.join('')).join(','));
const paths = fc.constantFrom(
  ...'title description status priority due_time due_day due_day.date assignee_id labels id owner_name etag *'.split(
    ' ',
  ),
  ...['', 'due_time.seconds', '__proto__', 'constructor'],
);
const zones = fc.constantFrom(
  ...'Europe/Berlin Pacific/Apia UTC Etc/GMT+12 Mars/Olympus europe/berlin +01:00'.split(' '),
);

/** Likely values of a field, by its name. */
function likelyText(name: string, known: Known): fc.Arbitrary<string> | undefined {
  if (/(^|_)ids?$/.test(name) && !['external_id', 'request_id'].includes(name))
    return fc.oneof(fc.constantFrom(...known.ids), fc.uuid());
  if (name.endsWith('_token')) return fc.constantFrom('', ...known.tokens);
  if (['etag', 'request_id'].includes(name)) return fc.constantFrom('', 'djE', 'a-request');
  return new Map([
    ['order_by', orders],
    ['paths', paths],
    ['time_zone', zones],
  ]).get(name);
}

function textFor(name: string, known: Known): fc.Arbitrary<string> {
  const likely = likelyText(name, known);
  if (likely !== undefined) return fc.oneof({ weight: 4, arbitrary: likely }, { weight: 1, arbitrary: hostileText });
  return fc.oneof(hostileText, { weight: 2, arbitrary: fc.constantFrom('a task', 'home', 'Water the plants') });
}

const int32 = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 7, 500, 501, -1, 2_147_483_647, -2_147_483_648),
  fc.integer({ min: 0, max: 30 }),
);
const int64 = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    -1n,
    1_800_000_000n,
    253_402_300_799n,
    253_402_300_800n,
    -62_135_596_801n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ),
  fc.bigInt({ min: 1_700_000_000n, max: 1_900_000_000n }),
);

function scalarFor(scalar: ScalarType, name: string, known: Known): fc.Arbitrary<unknown> {
  if (scalar === ScalarType.STRING) return textFor(name, known);
  if (scalar === ScalarType.BOOL) return fc.boolean();
  if (scalar === ScalarType.BYTES) return fc.uint8Array({ maxLength: 20 });
  if (scalar === ScalarType.INT64) return int64;
  if (scalar === ScalarType.UINT64) return int64.map((value) => BigInt.asUintN(64, value));
  return int32;
}

function valueFor(field: DescField, known: Known, depth: number): fc.Arbitrary<unknown> {
  if (field.fieldKind === 'scalar') return scalarFor(field.scalar, field.name, known);
  if (field.fieldKind === 'enum') return fc.constantFrom(0, 1, 2, 3, 4, 5, 99, -1);
  if (field.fieldKind === 'message') return messageFor(field.message, known, depth - 1);
  if (field.fieldKind !== 'list') throw new Error(`no values for ${field.name}`);
  if (field.listKind === 'message') return fc.array(messageFor(field.message, known, depth - 1), { maxLength: 4 });
  if (field.listKind === 'enum') return fc.array(fc.constantFrom(0, 1, 2, 3, 4, 99), { maxLength: 6 });
  return fc.array(scalarFor(field.scalar, field.name, known), { maxLength: 6 });
}

/** The value with odds of `odds` to 1, else undefined. */
function perhaps<T>(value: fc.Arbitrary<T>, odds: number): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: Math.round(10 * odds), arbitrary: value },
    { weight: 10, arbitrary: fc.constant(undefined) },
  );
}

/** Each field is left out more often than not, so that one fault does not hide behind another. */
function messageFor(message: DescMessage, known: Known, depth: number): fc.Arbitrary<MessageShape<DescMessage>> {
  const fields = message.fields.filter((field) => depth > 0 || field.message === undefined);
  const left = fields.map((field) => [
    field.localName,
    perhaps(valueFor(field, known, depth), /^(task|tasks|requests|task_ids?|title|paths)$/.test(field.name) ? 12 : 0.4),
  ]);
  const shape = Object.fromEntries(left) as Record<string, fc.Arbitrary<unknown>>;
  return fc
    .record(shape)
    .map((values) =>
      create(message, Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))),
    );
}

/** Bytes that are cut off, or have one changed. */
function damaged(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const place = at % (bytes.length + 1);
  if (value < 128) return bytes.subarray(0, place);
  return Uint8Array.from(bytes, (byte, index) => (index === place ? value : byte));
}

export function hostileMethods(serviceName: string, known: Known): HostileMethod[] {
  const service = fileRegistry.getService(serviceName);
  if (service === undefined) throw new Error(`the contract has no ${serviceName}`);
  return service.methods.map((method) => {
    const whole = messageFor(method.input, known, 4).map((message) => toBinary(method.input, message));
    const broken = fc.tuple(whole, fc.nat(2000), fc.nat(255)).map(([bytes, at, value]) => damaged(bytes, at, value));
    return {
      path: `/${service.typeName}/${method.name}`,
      isStream: method.methodKind === 'server_streaming',
      takesNothing: method.input.fields.length === 0,
      requests: fc.oneof({ weight: 9, arbitrary: whole }, { weight: 1, arbitrary: broken }),
    };
  });
}
