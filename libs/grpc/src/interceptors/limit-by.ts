import type { Interceptor } from './chain.ts';

/** Applies the rate limits that count by this key. */
export function limitBy(key: 'user' | 'peer', limit: Interceptor | undefined): Interceptor {
  return (call, next) => (limit !== undefined && call.policy.rateLimit?.key === key ? limit(call, next) : next());
}
