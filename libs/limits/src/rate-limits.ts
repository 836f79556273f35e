import { AppError } from '#libs/errors';
import { StoreUnavailable, type Store } from '#libs/redis';
import { toPeerNetwork, type Actor, type Metrics } from '#libs/runtime';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { RateLimitOverrides } from './config.ts';
import { consume, type LimitDecision } from './decision.ts';
import { createSharedPoints, type SharedPoints } from './shared-points.ts';
import { createShares, type Shares } from './shares.ts';

/** The part of a method's policy that matters here. */
export interface LimitedMethod {
  /** "/taskflow.auth.v1.AuthService/Login" */
  path: string;
  rateLimit: { requests: number; perMs: number; key: 'user' | 'peer'; failClosed: boolean } | undefined;
}

/** The part of a call that matters here. */
export interface LimitedCall {
  readonly policy: LimitedMethod;
  readonly context: { readonly actor: Actor; readonly peer: string };
}

/** A stage of the server's chain: continues with `next`, or throws. */
export type LimitInterceptor = (call: LimitedCall, next: () => Promise<void>) => Promise<void>;

export interface RateLimitsOptions {
  store: Store;
  prefix: string;
  overrides: RateLimitOverrides;
  metrics: Metrics;
}

/** The limit of one method. */
interface MethodLimit {
  /** "60 per 60 s" */
  name: string;
  failClosed: boolean;
  shares: Shares;
  /** The local fallback limiter: counts this process alone while Redis is out of reach. */
  fallback: RateLimiterMemory;
}

// About as long as a lost Redis takes to be found again.
const retryWithoutStoreMs = 1000;

/** The limit that the contract and the operator set; undefined when there is none. */
export function amountOf({ path, rateLimit }: LimitedMethod, overrides: RateLimitOverrides) {
  const override = overrides[path.slice(1)] ?? overrides['*'];
  if (rateLimit === undefined || override === 'unlimited') return undefined;
  return override ?? { requests: rateLimit.requests, perSeconds: Math.max(1, Math.ceil(rateLimit.perMs / 1000)) };
}

function toMethodLimit(
  method: LimitedMethod,
  points: SharedPoints,
  { prefix, overrides }: RateLimitsOptions,
): MethodLimit | undefined {
  const amount = amountOf(method, overrides);
  if (amount === undefined) return undefined;
  const { requests, perSeconds } = amount;
  const keyPrefix = `${prefix}:rate:${method.path.slice(1)}`;
  const failClosed = method.rateLimit?.failClosed ?? false;
  return {
    name: `${requests} per ${perSeconds} s`,
    failClosed,
    // A share would be used while Redis is out of reach; `failClosed` forbids that.
    shares: createShares({ points, keyPrefix, size: { points: requests, seconds: perSeconds }, exact: failClosed }),
    fallback: new RateLimiterMemory({ keyPrefix, points: requests, duration: perSeconds }),
  };
}

/** The subject that is counted. A refusal names it, so it holds nothing that the caller does not know. */
function subjectOf({ policy, context }: LimitedCall): string {
  const { actor, peer } = context;
  return policy.rateLimit?.key === 'user' && actor.kind === 'user'
    ? `user:${actor.userId}`
    : `peer:${toPeerNetwork(peer)}`;
}

function rateLimited(
  subject: string,
  limit: MethodLimit,
  { path }: LimitedMethod,
  { retryAfterMs }: LimitDecision,
): AppError {
  const quota = [{ subject, description: `${limit.name} for ${path.slice(1)}` }];
  return new AppError('resource_exhausted', 'RATE_LIMITED', `too many requests: the limit is ${limit.name}`, {
    details: { retryAfterMs, quota, metadata: { limit: limit.name } },
  });
}

function limitsUnavailable(cause: unknown): AppError {
  const details = { retryAfterMs: retryWithoutStoreMs };
  return new AppError('unavailable', 'LIMITS_UNAVAILABLE', 'the rate limit cannot be checked now', {
    details,
    cause,
  });
}

function createCounters(metrics: Metrics) {
  return {
    refused: metrics.counter('taskflow_limits_refused_total', 'Calls beyond the rate limit of their method.', [
      'method',
    ]),
    blind: metrics.counter(
      'taskflow_limits_store_failures_total',
      'Calls whose limit could not be checked, by what was decided.',
      ['method', 'decision'],
    ),
  };
}

/** Refuses calls beyond their method's limit, counted in Redis for all replicas together. */
export function createRateLimits(options: RateLimitsOptions): LimitInterceptor {
  const counters = createCounters(options.metrics);
  const points = createSharedPoints(options.store);
  const limits = new Map<string, MethodLimit | undefined>();

  function limitOf(method: LimitedMethod): MethodLimit | undefined {
    if (!limits.has(method.path)) limits.set(method.path, toMethodLimit(method, points, options));
    return limits.get(method.path);
  }

  async function ask(limit: MethodLimit, method: string, subject: string): Promise<LimitDecision> {
    try {
      return await limit.shares.ask(subject);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      counters.blind.inc({ method, decision: limit.failClosed ? 'closed' : 'open' });
      if (limit.failClosed) throw limitsUnavailable(error);
      return consume(limit.fallback, subject);
    }
  }

  function assertAllowed(decision: LimitDecision, limit: MethodLimit, method: LimitedMethod, subject: string): void {
    if (decision.allowed) return;
    counters.refused.inc({ method: method.path });
    throw rateLimited(subject, limit, method, decision);
  }

  return async (call, next) => {
    const { policy } = call;
    const limit = limitOf(policy);
    if (limit !== undefined) {
      const subject = subjectOf(call);
      const decision = limit.shares.decide(subject) ?? (await ask(limit, policy.path, subject));
      assertAllowed(decision, limit, policy, subject);
    }
    return next();
  };
}
