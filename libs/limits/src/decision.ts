import { StoreUnavailable, type Store } from '#libs/redis';
import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';

/** A limiter's answer: go on, or come back later. */
export interface LimitDecision {
  allowed: boolean;
  retryAfterMs: number;
}

/**
 * Asks a limiter. Throws only when its store failed; the package rejects for a reached limit too. No wait is longer
 * than the limiter's window, even when a clock has stepped.
 */
export async function consume(limiter: RateLimiterAbstract, key: string, points = 1): Promise<LimitDecision> {
  try {
    await limiter.consume(key, points);
    return { allowed: true, retryAfterMs: 0 };
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    return { allowed: false, retryAfterMs: Math.max(1, Math.min(refusal.msBeforeNext, limiter.duration * 1000)) };
  }
}

/** Asks the store, or does without it while it is out of reach. */
export async function askOrElse<T>(store: Store, ask: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
  try {
    return await store.ask(ask);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    return otherwise();
  }
}
