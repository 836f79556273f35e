import { describe, expect, it } from '@jest/globals';
import { createConnectionLimiter, unlimited } from './connection-limits.ts';

const heldUp = () => true;
const awake = () => false;
const stopped = () => 0;
const limits = { streamsPerSecond: 5, resetsPerSecond: 100 };

function countAllowed(act: () => unknown): number {
  let count = 0;
  while (count < 1000 && act() === undefined) count += 1;
  return count;
}

describe('the limiter of a connection', () => {
  it('allows a burst of twice the streams of a second, and no more', () => {
    const { begin } = createConnectionLimiter(limits, awake, stopped);
    expect(countAllowed(begin)).toBe(10);
    expect(begin()).toBe('streams');
  });

  it('counts the reset of a stream that the server has not seen as four', () => {
    const [breathless, hasty] = [
      createConnectionLimiter(limits, awake, stopped),
      createConnectionLimiter(limits, awake, stopped),
    ];
    expect([countAllowed(() => breathless.reset(true)), countAllowed(() => hasty.reset(false))]).toEqual([25, 100]);
    expect([breathless.reset(true), hasty.reset(false)]).toEqual(['resets', 'resets']);
  });

  it('counts resets singly after a pause of the process', () => {
    const { reset } = createConnectionLimiter(limits, heldUp, stopped);
    expect(countAllowed(() => reset(true))).toBe(100);
  });

  it('has no limit for a trusted proxy', () => {
    expect(countAllowed(() => unlimited.begin() ?? unlimited.reset(true))).toBe(1000);
  });
});
