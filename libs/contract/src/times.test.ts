import { describe, expect, it } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { TimestampSchema, type Timestamp } from '@bufbuild/protobuf/wkt';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { Task } from '#contract/tasks/v1/tasks';
import { Timestamp as GeneratedTimestamp } from './gen/google/protobuf/timestamp.ts';

const dueTime = 7;
const first = -62_135_596_800n;
const last = 253_402_300_799n;

function decode(seconds: bigint, nanos: number): number | undefined {
  const value = toBinary(TimestampSchema, create(TimestampSchema, { seconds, nanos }) as Timestamp);
  const { due } = Task.decode(new BinaryWriter().tag(dueTime, WireType.LengthDelimited).bytes(value).finish());
  return due?.$case === 'dueTime' ? due.value.getTime() : undefined;
}

function encode(ms: number): { seconds: bigint; nanos: number } {
  const bytes = Task.encode(Task.fromPartial({ due: { $case: 'dueTime', value: new Date(ms) } })).finish();
  // The tag and the length are one byte each; behind the time stand only defaults, which are not sent.
  return GeneratedTimestamp.decode(bytes.subarray(2, 2 + (bytes[1] ?? 0)));
}

describe('a Timestamp as a Date', () => {
  it('is cut to whole milliseconds, towards the past, wherever it lies', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: first, max: last }), fc.integer({ min: 0, max: 999_999_999 }), (seconds, nanos) => {
        expect(decode(seconds, nanos)).toBe(Number(seconds * 1_000n + BigInt(nanos) / 1_000_000n));
      }),
      {
        examples: [
          [last, 999_999_999],
          [-1n, 999_999_999],
          [-2n, 1],
          [0n, 999_999],
          [first, 0],
        ],
      },
    );
  });

  it('is the same again when it is sent, with nanoseconds that a Timestamp may have', () => {
    fc.assert(
      fc.property(fc.integer({ min: Number(first) * 1_000, max: Number(last) * 1_000 + 999 }), (ms) => {
        const { seconds, nanos } = encode(ms);
        expect(nanos).toBeGreaterThanOrEqual(0);
        expect(seconds * 1_000_000_000n + BigInt(nanos)).toBe(BigInt(ms) * 1_000_000n);
      }),
      { examples: [[-1], [-500], [-1_000], [0], [253_402_300_799_999]] },
    );
  });
});
