import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';

/** What a limiter said: go on, or come back later. */
export interface Verdict {
  allowed: boolean;
  retryAfterMs: number;
}

/** The package rejects with a result when the limit is reached and with an error when its store failed; only the latter throws here. */
export async function consume(limiter: RateLimiterAbstract, key: string): Promise<Verdict> {
  try {
    await limiter.consume(key);
    return { allowed: true, retryAfterMs: 0 };
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return { allowed: false, retryAfterMs: Math.max(1, refusal.msBeforeNext) };
  }
}
