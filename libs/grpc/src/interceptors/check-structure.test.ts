import { describe, expect, it } from '@jest/globals';
import { create, fromBinary, toBinary, type DescMessage } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { fileRegistry, isOutputOnly } from '#libs/contract';
import type { FieldViolation } from '#libs/errors';
import { checkStructure } from './check-structure.ts';
import { spoilFaultyTimes } from './faulty-times.ts';

function violationsIn(request: DescMessage, bytes: Uint8Array): FieldViolation[] {
  const { sizes, times } = checkStructure(request, bytes);
  return [...sizes, ...times];
}

const timestamp = (seconds: bigint, nanos = 0): Uint8Array =>
  toBinary(TimestampSchema, create(TimestampSchema, { seconds, nanos }));
const duration = (seconds: bigint, nanos = 0): Uint8Array =>
  toBinary(DurationSchema, create(DurationSchema, { seconds, nanos }));

const good = {
  'google.protobuf.Timestamp': [
    timestamp(0n),
    timestamp(-62_135_596_800n),
    timestamp(253_402_300_799n, 999_999_999),
    timestamp(-1n, 999_999_999),
  ],
  'google.protobuf.Duration': [
    duration(0n),
    duration(315_576_000_000n, 999_999_999),
    duration(-315_576_000_000n, -999_999_999),
    duration(0n, -1),
  ],
};
const bad = {
  'google.protobuf.Timestamp': [
    timestamp(0n, -1),
    timestamp(0n, 1_000_000_000),
    timestamp(1n, 2 ** 31 - 1),
    timestamp(-62_135_596_801n, 999_999_999),
    timestamp(253_402_300_800n),
  ],
  'google.protobuf.Duration': [
    duration(0n, 1_000_000_000),
    duration(0n, -1_000_000_000),
    duration(1n, -1),
    duration(-1n, 1),
    duration(315_576_000_001n),
    duration(-315_576_000_001n),
  ],
};
type TimeType = keyof typeof good;

interface TimeField {
  request: DescMessage;
  /** The numbers of the fields on the path, from the outside. */
  numbers: number[];
  path: string;
  type: TimeType;
  isIgnored: boolean;
}

/** Every field of a request that is a time, at any depth. Of a list, the first item. */
function timeFieldsOf(
  request: DescMessage,
  type = request,
  way: { numbers: number[]; names: string[]; isIgnored: boolean } = { numbers: [], names: [], isIgnored: false },
): TimeField[] {
  if (way.numbers.length > 6) return [];
  return type.fields.flatMap((field): TimeField[] => {
    const isList = field.fieldKind === 'list' && field.listKind === 'message';
    if (field.fieldKind !== 'message' && !isList) return [];
    const next = {
      numbers: [...way.numbers, field.number],
      names: [...way.names, isList ? `${field.name}[0]` : field.name],
      isIgnored: way.isIgnored || isOutputOnly(field),
    };
    if (field.message.typeName in good)
      return [
        {
          request,
          numbers: next.numbers,
          path: next.names.join('.'),
          type: field.message.typeName as TimeType,
          isIgnored: next.isIgnored,
        },
      ];
    return timeFieldsOf(request, field.message, next);
  });
}

const requests = [...fileRegistry].flatMap((entry) =>
  entry.kind === 'service' && entry.typeName.startsWith('taskflow.') ? entry.methods.map(({ input }) => input) : [],
);
const timeFields = requests.flatMap((request) => timeFieldsOf(request));

/** The message in which only this field is set. */
function wrap(numbers: readonly number[], value: Uint8Array): Uint8Array {
  return [...numbers]
    .reverse()
    .reduce((inner, number) => new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(inner).finish(), value);
}

describe('times in requests', () => {
  it('are checked in every service that has some', () => {
    expect(new Set(timeFields.map(({ request }) => request.typeName.split('.')[1]))).toEqual(
      new Set(['audit', 'auth', 'resilience', 'scheduler', 'tasks', 'users']),
    );
  });

  it.each(timeFields.filter(({ isIgnored }) => isIgnored))(
    'are ignored where servers write them: $request.typeName $path',
    ({ request, numbers, type }) => {
      expect(bad[type].flatMap((value) => violationsIn(request, wrap(numbers, value)))).toEqual([]);
    },
  );

  it.each(timeFields.filter(({ isIgnored }) => !isIgnored))(
    'are named when they are invalid: $request.typeName $path',
    ({ request, numbers, path, type }) => {
      expect(bad[type].map((value) => violationsIn(request, wrap(numbers, value)).map(({ field }) => field))).toEqual(
        bad[type].map(() => [path]),
      );
      expect(good[type].flatMap((value) => violationsIn(request, wrap(numbers, value)))).toEqual([]);
    },
  );

  it.each(timeFields.filter(({ isIgnored }) => !isIgnored))(
    'are replaced when they are invalid, and only then: $request.typeName $path',
    ({ request, numbers, type }) => {
      const shape = type === 'google.protobuf.Timestamp' ? timestamp : duration;
      const never = fromBinary(request, wrap(numbers, shape(2n ** 63n - 1n)));
      for (const value of bad[type])
        expect(fromBinary(request, spoilFaultyTimes(request, wrap(numbers, value)))).toEqual(never);
      for (const value of good[type])
        expect(spoilFaultyTimes(request, wrap(numbers, value))).toEqual(Buffer.from(wrap(numbers, value)));
    },
  );

  it('are all named at once, with their index in a list', () => {
    const request = requests.find(({ name }) => name === 'BatchCreateTasksRequest') as DescMessage;
    const found = timeFieldsOf(request).find(({ isIgnored }) => !isIgnored);
    const list = [good, bad, good, bad].map((kind) =>
      wrap(found?.numbers ?? [], kind['google.protobuf.Timestamp'][1] as Uint8Array),
    );

    expect(violationsIn(request, Buffer.concat(list)).map(({ field }) => field)).toEqual([
      'requests[1].task.due_time',
      'requests[3].task.due_time',
    ]);
  });

  it('are in no map of a request, where nothing would check them', () => {
    const maps = requests.flatMap((request) =>
      request.fields.filter((field) => field.fieldKind === 'map' && field.mapKind === 'message'),
    );
    expect(maps).toEqual([]);
  });
});

const requestOf = (name: string) => requests.find((one) => one.name === name) as DescMessage;
const numberIn = (type: DescMessage | undefined, field: string): number =>
  type?.fields.find(({ name }) => name === field)?.number ?? 0;

describe('texts in requests', () => {
  const long = Buffer.alloc(3_900_000, 'x');
  const most = Buffer.alloc(64 * 1024, 'x');

  it('that are much too long are refused before they are decoded, by the rule of the field', () => {
    const [register, create] = [requestOf('RegisterRequest'), requestOf('CreateTaskRequest')];
    const task = create.fields.find(({ name }) => name === 'task');
    const inTask = (field: string) => [numberIn(create, 'task'), numberIn(task?.message, field)];
    const password = [numberIn(register, 'password')];
    expect(violationsIn(register, wrap(password, long))).toEqual([
      { field: 'password', description: 'must have at most 1024 bytes' },
    ]);
    expect(violationsIn(create, wrap(inTask('title'), long))).toEqual([
      { field: 'task.title', description: 'must have 1 to 200 characters' },
    ]);
    const labels = Buffer.concat([wrap(inTask('labels'), most), wrap(inTask('labels'), long)]);
    expect(violationsIn(create, labels)).toEqual([
      { field: 'task.labels[0]', description: expect.stringMatching(/^must have .* characters$/) },
    ]);
    expect(violationsIn(create, wrap(inTask('id'), long))).toEqual([]);
  });

  it('that are a little too long are left to what tells everything else, too', () => {
    const create = requestOf('CreateTaskRequest');
    const task = create.fields.find(({ name }) => name === 'task');
    expect(violationsIn(create, wrap([task?.number ?? 0, numberIn(task?.message, 'title')], most))).toEqual([]);
  });
});

describe('lists in requests', () => {
  const entries = (number: number, count: number) =>
    Buffer.concat(Array<Uint8Array>(count).fill(wrap([number], new Uint8Array())));

  it('are refused by their number of entries, before any is decoded', () => {
    const batch = requestOf('BatchCreateTasksRequest');
    const list = (count: number) => entries(numberIn(batch, 'requests'), count);
    expect(violationsIn(batch, list(500))).toEqual([]);
    expect(violationsIn(batch, list(1_000_000))).toEqual([
      { field: 'requests', description: 'must have 1 to 500 entries' },
    ]);
  });

  it('may repeat the entries of a set, but not without end', () => {
    const task = requestOf('CreateTaskRequest').fields.find(({ name }) => name === 'task');
    const labels = numberIn(task?.message, 'labels');
    const create = (count: number) => wrap([task?.number ?? 0], entries(labels, count));
    expect(violationsIn(requestOf('CreateTaskRequest'), create(2000))).toEqual([]);
    expect(violationsIn(requestOf('CreateTaskRequest'), create(1_000_000))).toEqual([
      { field: 'task.labels', description: 'must have at most 20 entries' },
    ]);
  });
});
