import { describe, expect, it } from '@jest/globals';
import { anyConduct, createConduct } from './conduct.ts';

const heldUp = () => true;
const awake = () => false;
const stopped = () => 0;
const limits = { streamsPerSecond: 5, resetsPerSecond: 100 };

function countAllowed(act: () => unknown): number {
  let count = 0;
  while (count < 1000 && act() === undefined) count += 1;
  return count;
}

describe('the conduct of a client', () => {
  it('is too much with more streams than twice those of a second', () => {
    const { begin } = createConduct(limits, awake, stopped);
    expect(countAllowed(begin)).toBe(10);
    expect(begin()).toBe('streams');
  });

  it('counts a stream that was reset before anybody had looked at it like four that were reset later', () => {
    const [breathless, hasty] = [createConduct(limits, awake, stopped), createConduct(limits, awake, stopped)];
    expect([countAllowed(() => breathless.reset(true)), countAllowed(() => hasty.reset(false))]).toEqual([25, 100]);
    expect([breathless.reset(true), hasty.reset(false)]).toEqual(['resets', 'resets']);
  });

  it('is not blamed for what piled up while the process did not run', () => {
    const { reset } = createConduct(limits, heldUp, stopped);
    expect(countAllowed(() => reset(true))).toBe(100);
  });

  it('is free for a proxy, which hands on what others do', () => {
    expect(countAllowed(() => anyConduct.begin() ?? anyConduct.reset(true))).toBe(1000);
  });
});
