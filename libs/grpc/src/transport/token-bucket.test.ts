import { describe, expect, it } from '@jest/globals';
import { createTokenBucket } from './token-bucket.ts';

describe('a token bucket', () => {
  it('gives its burst at once, then its rate, and never more than the burst after a pause', () => {
    let time = 0;
    const { take } = createTokenBucket({ perSecond: 10, burst: 3 }, () => time);
    const takeAll = (): number => {
      let taken = 0;
      while (take()) taken += 1;
      return taken;
    };
    expect(takeAll()).toBe(3);
    time += 100;
    expect(takeAll()).toBe(1);
    time += 60_000;
    expect(takeAll()).toBe(3);
  });

  it('gives all tokens of a request or none', () => {
    const { take } = createTokenBucket({ perSecond: 10, burst: 3 }, () => 0);
    expect([take(4), take(2), take(2), take(1)]).toEqual([false, true, false, true]);
  });
});
