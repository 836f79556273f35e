export type { Attempts, AttemptsOptions } from './attempts.ts';
export { limitsEntries, toLimitsConfig, type LimitsConfig, type RateLimitOverrides } from './config.ts';
export { openLimits, type Limits } from './limits.ts';
export type { Quota, QuotaOptions } from './quota.ts';
export type { LimitedCall } from './rate-limits.ts';
export type { LimitDecision } from './decision.ts';
