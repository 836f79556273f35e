import { randomUUID } from 'node:crypto';
import { createLogger, createMetrics, type Metrics, type Part } from '#libs/runtime';
import { openLimits, type LimitedCall, type Limits, type RateLimitOverrides } from '../src/index.ts';

export interface TestLimits {
  limits: Limits;
  metrics: Metrics;
  close(): Promise<void>;
}

export interface TestLimitsOptions {
  url: string;
  /** The same one counts together, as replicas do. */
  prefix?: string;
  overrides?: RateLimitOverrides;
  timeoutMs?: number;
}

/** A machine that is busy with other tests must not look like a Redis that is gone. */
const patientMs = 30_000;
/** For tests in which Redis is silent: they wait for it a few times. */
export const lessPatientMs = 1000;

export async function openTestLimits({
  url,
  prefix = `test-${randomUUID()}`,
  overrides = {},
  timeoutMs = patientMs,
}: TestLimitsOptions): Promise<TestLimits> {
  const parts: Part[] = [];
  const metrics = createMetrics('test');
  const limits = await openLimits({
    config: { limits: { redisUrl: url, prefix, overrides, timeoutMs } },
    logger: createLogger({ service: 'test', level: 'fatal' }),
    metrics,
    parts: { add: (part) => void parts.push(part) },
  });
  return { limits, metrics, close: async () => void (await Promise.all(parts.map((part) => part.stop?.()))) };
}

type RateLimit = NonNullable<LimitedCall['policy']['rateLimit']>;

export function callOf(
  rateLimit: Partial<RateLimit> & { path?: string },
  from: { userId?: string; peer?: string } = {},
): LimitedCall {
  const { path = '/shop.v1.Shop/Buy', ...changes } = rateLimit;
  const { userId, peer = '203.0.113.1' } = from;
  return {
    policy: {
      path,
      rateLimit: {
        requests: 5,
        perMs: 60_000,
        key: userId === undefined ? 'peer' : 'user',
        failClosed: false,
        ...changes,
      },
    },
    context: {
      peer,
      actor: userId === undefined ? { kind: 'anonymous' } : { kind: 'user', userId, role: 'user', sessionId: 's' },
    },
  };
}

/** How many of so many calls at once went on, and why the others did not. */
export async function flood(
  calls: number,
  one: (index: number) => Promise<unknown>,
): Promise<{ passed: number; refusals: unknown[] }> {
  const results = await Promise.allSettled(Array.from({ length: calls }, (_, index) => one(index)));
  const refusals = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
  return { passed: calls - refusals.length, refusals };
}
