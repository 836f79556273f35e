export type { Attempts, AttemptsOptions } from './attempts.ts';
export { limitsEntries, toLimitsConfig, type KnownMethods, type LimitsConfig, type RateLimitOverride, type RateLimitOverrides } from './config.ts';
export { openLimits, type Limits, type LimitsBase } from './limits.ts';
export type { LimitedCall, LimitInterceptor } from './rate-limits.ts';
export type { Verdict } from './verdict.ts';
