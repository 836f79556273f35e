/** So many a second, and so many at once after a pause. */
export interface Pace {
  perSecond: number;
  burst: number;
}

export interface TokenBucket {
  /** False: there are not so many, and none is gone. */
  take(count?: number): boolean;
}

export function createTokenBucket({ perSecond, burst }: Pace, now: () => number = () => performance.now()): TokenBucket {
  let tokens = burst;
  let filledAt = now();
  return {
    take: (count = 1) => {
      const time = now();
      tokens = Math.min(burst, tokens + ((time - filledAt) / 1000) * perSecond);
      filledAt = time;
      if (tokens < count) return false;
      tokens -= count;
      return true;
    },
  };
}
