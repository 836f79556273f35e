import type { Interceptor } from './chain.ts';

/** Holds the methods whose limit counts by this key to it. */
export function limitBy(key: 'user' | 'peer', limit: Interceptor | undefined): Interceptor {
  return (call, next) => (limit !== undefined && call.policy.rateLimit?.key === key ? limit(call, next) : next());
}
