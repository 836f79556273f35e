import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromBinary, toBinary, fromJson, toJson, type DescMessage, type JsonValue } from '@bufbuild/protobuf';
import { fileRegistry } from '#libs/contract';
import type { AppError } from '#libs/errors';
import { encodeFromJson } from '../src/index.ts';

function messageOf(name: string): DescMessage {
  const found = fileRegistry.getMessage(name);
  if (found === undefined) throw new Error(`the contract has no ${name}`);
  return found;
}

/** A field of each kind, whatever it means. */
const places = {
  int32: { message: messageOf('taskflow.tasks.v1.ListTasksRequest'), field: 'pageSize' },
  int64: { message: messageOf('taskflow.server.v1.GetServerInfoResponse'), field: 'maxMessageBytes' },
  double: { message: messageOf('taskflow.scheduler.v1.Queue'), field: 'completedPerMinute' },
  bytes: { message: messageOf('taskflow.audit.v1.AuditEvent'), field: 'hash' },
  any: { message: messageOf('taskflow.scheduler.v1.Job'), field: 'payload' },
  time: { message: messageOf('taskflow.tasks.v1.Task'), field: 'dueTime' },
  span: { message: messageOf('taskflow.server.v1.MethodLimit'), field: 'deadline' },
  text: { message: messageOf('taskflow.tasks.v1.Task'), field: 'title' },
  enum: { message: messageOf('taskflow.tasks.v1.Task'), field: 'priority' },
  bool: { message: messageOf('taskflow.tasks.v1.CreateTaskRequest'), field: 'validateOnly' },
} as const;

/** The value of a field after it was read from this text, in the library's JSON; "refused" names no other field. */
function read(kind: keyof typeof places, text: string): JsonValue {
  const { message, field } = places[kind];
  try {
    const bytes = encodeFromJson(message, Buffer.from(`{${JSON.stringify(field)}: ${text}}`));
    const json = toJson(message, fromBinary(message, bytes), { registry: fileRegistry, alwaysEmitImplicit: true });
    return (json as Record<string, JsonValue>)[field] ?? null;
  } catch (error) {
    const { violations = [] } = (error as AppError).details;
    const own = message.fields.find(({ jsonName }) => jsonName === field)?.name;
    expect(violations.map((violation) => violation.field)).toEqual([own]);
    return 'refused';
  }
}

describe('whole numbers', () => {
  it.each([
    ['5', 5],
    ['-0', 0],
    ['1e2', 100],
    ['1.0', 1],
    ['1200e-2', 12],
    ['"5"', 5],
    ['"1e2"', 100],
    ['"-0"', 0],
    ['2147483647', 2147483647],
    ['2147483648', 'refused'],
    ['1.5', 'refused'],
    ['1e-400', 'refused'],
    ['1.00000000000000000000001', 'refused'],
    ['1e999999999999', 'refused'],
    ['"0x5"', 'refused'],
    ['"0b1"', 'refused'],
    ['"+5"', 'refused'],
    ['" 5"', 'refused'],
    ['"5 "', 'refused'],
    ['"\u00a05"', 'refused'],
    ['"007"', 'refused'],
    ['"5."', 'refused'],
    ['".5"', 'refused'],
    ['""', 'refused'],
    ['true', 'refused'],
    ['"NaN"', 'refused'],
    [`1${'0'.repeat(98)}e-98`, 'refused'],
    [`1${'0'.repeat(90)}e-90`, 1],
  ])('of 32 bits: %s', (text, expected) => {
    expect(read('int32', text)).toBe(expected);
  });

  it.each([
    ['9223372036854775807', '9223372036854775807'],
    ['"9223372036854775807"', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['9007199254740993', '9007199254740993'],
    ['9007199254740993.0', '9007199254740993'],
    ['"1e2"', '100'],
    ['1e18', '1000000000000000000'],
    ['9223372036854775808', 'refused'],
    ['1e19', 'refused'],
    ['0.5', 'refused'],
    ['"0x5"', 'refused'],
  ])('of 64 bits: %s', (text, expected) => {
    expect(read('int64', text)).toBe(expected);
  });

  it.each([
    ['a number', `1${'0'.repeat(1_000_000)}1`],
    ['a text', `"1${'0'.repeat(1_000_000)}1"`],
  ])('of a million digits, as %s, are refused without a look at each', (_what, text) => {
    expect(read('int32', text)).toBe('refused');
  });

  it('are read exactly, with and without quotes, however they are written', () => {
    const whole = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(whole, fc.integer({ min: 0, max: 25 }), fc.boolean(), (value, shift, isQuoted) => {
        const digits = value
          .toString()
          .replace('-', '')
          .padStart(shift + 1, '0');
        const cut = digits.length - shift;
        const fraction = shift === 0 ? '' : `.${digits.slice(cut)}`;
        const text = `${value < 0n ? '-' : ''}${digits.slice(0, cut)}${fraction}e${shift}`;
        expect(read('int64', isQuoted ? `"${text}"` : text)).toBe(value.toString());
      }),
    );
  });
});

describe('other values', () => {
  it.each([
    ['double', '1e-400', 0],
    ['double', '12345678901234567890', 12345678901234567000],
    ['double', '"1.5"', 1.5],
    ['double', '"Infinity"', 'Infinity'],
    ['double', '"0x5"', 'refused'],
    ['double', '1e400', 'refused'],
    ['bytes', '"YQ=="', 'YQ=='],
    ['bytes', '"YQ"', 'YQ=='],
    ['bytes', '"-_"', '+w=='],
    ['bytes', '"YQ="', 'refused'],
    ['bytes', '"Y=Q="', 'refused'],
    ['bytes', '"+_"', 'refused'],
    ['bytes', '"YQ ="', 'refused'],
    ['span', '"1.5s"', '1.500s'],
    ['span', '"-0.5s"', '-0.500s'],
    ['span', '"1sx"', 'refused'],
    ['span', '"1s "', 'refused'],
    ['span', '"0.0000000001s"', 'refused'],
    ['span', '"315576000001s"', 'refused'],
    ['text', '12345678901234567890', 'refused'],
    ['enum', '3e0', 'TASK_PRIORITY_HIGH'],
    ['enum', '1e-400', 'refused'],
    ['bool', '1.0', 'refused'],
    ['any', '{"a": [1e2, 12345678901234567890]}', { a: [100, 12345678901234567000] }],
    ['time', '"2026-02-28T23:59:59Z"', '2026-02-28T23:59:59Z'],
    ['time', '"2024-02-29T00:00:00+01:00"', '2024-02-28T23:00:00Z'],
    ['time', '"2026-02-29T00:00:00Z"', 'refused'],
    ['time', '"2026-04-31T00:00:00Z"', 'refused'],
    ['time', '"1900-02-29T00:00:00Z"', 'refused'],
    ['time', '"2026-01-01T24:00:00Z"', 'refused'],
    ['time', '"2026-01-01T23:59:60Z"', 'refused'],
    ['time', '"2026-01-01t00:00:00z"', 'refused'],
    ['time', '1.5', 'refused'],
  ] as const)('%s: %s', (kind, text, expected) => {
    expect(read(kind, text)).toEqual(expected);
  });

  it('of times are those that the calendar has', () => {
    const part = (max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, '0'));
    const day = fc.tuple(fc.integer({ min: 1, max: 9999 }), part(13), part(32));
    fc.assert(
      fc.property(day, part(25), ([year, month, date], hour) => {
        const text = `${String(year).padStart(4, '0')}-${month}-${date}T${hour}:00:00Z`;
        const parsed = new Date(text);
        const isReal = !Number.isNaN(parsed.getTime()) && parsed.toISOString() === text.replace('Z', '.000Z');
        expect(read('time', JSON.stringify(text))).toBe(isReal ? text : 'refused');
      }),
      { numRuns: 500 },
    );
  });

  it('are read as the library reads them, where it writes them itself', () => {
    const { message } = places.text;
    const task = fc.record({
      title: fc.string({ unit: 'binary' }),
      etag: fc.string({ unit: 'grapheme' }),
      labels: fc.array(fc.string()),
      dueTime: fc
        .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
        .map((date) => date.toISOString()),
      priority: fc.constantFrom('TASK_PRIORITY_LOW', 'TASK_PRIORITY_HIGH'),
      overdue: fc.boolean(),
    });
    fc.assert(
      fc.property(task, (json) => {
        const expected = toBinary(message, fromJson(message, json, { registry: fileRegistry }));
        expect(encodeFromJson(message, Buffer.from(JSON.stringify(json)))).toEqual(Buffer.from(expected));
      }),
    );
  });
});
