import { describe, expect, it } from '@jest/globals';
import { backoffMs } from './backoff.ts';

describe('the pause after a failure', () => {
  it.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [4, 500],
    [10_000, 500],
  ])('after %i failures is half to all of %i ms', (failures, longestMs) => {
    const pauses = Array.from({ length: 200 }, () => backoffMs({ firstMs: 100, maxMs: 500 }, failures));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(longestMs / 2);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(longestMs);
    expect(new Set(pauses).size).toBeGreaterThan(1);
  });

  it('counts no failure as the first', () => {
    expect(backoffMs({ firstMs: 100, maxMs: 500 }, 0)).toBeLessThanOrEqual(100);
  });
});
