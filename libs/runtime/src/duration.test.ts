import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toDuration, toMilliseconds } from './duration.ts';

const longestMs = 315_576_000_000_000;

describe('a Duration', () => {
  it('and its milliseconds are the same, and its parts have one sign, over everything that it may hold', () => {
    fc.assert(
      fc.property(fc.integer({ min: -longestMs, max: longestMs }), (ms) => {
        const { seconds, nanos } = toDuration(ms);
        expect(toMilliseconds({ seconds, nanos })).toBe(ms);
        expect(Math.abs(nanos)).toBeLessThan(1_000_000_000);
        expect(Math.sign(Number(seconds)) * Math.sign(nanos)).not.toBe(-1);
      }),
    );
  });

  it('loses parts of a millisecond towards zero', () => {
    expect(
      [999_999, 1_999_999, -999_999, -1_999_999].map((nanos) => toMilliseconds({ seconds: 0n, nanos }) + 0),
    ).toEqual([0, 1, 0, -1]);
    expect(toMilliseconds({ seconds: 315_576_000_000n, nanos: 999_999_999 })).toBe(longestMs + 999);
  });
});
