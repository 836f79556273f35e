/** A rate with bursts. */
interface Pace {
  perSecond: number;
  burst: number;
}

export interface TokenBucket {
  /** Takes `count` tokens (default 1), or returns false and takes none. */
  take(count?: number): boolean;
}

export function createTokenBucket(
  { perSecond, burst }: Pace,
  now: () => number = () => performance.now(),
): TokenBucket {
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
