import { randomBytes, randomInt } from 'node:crypto';
import { testRedisUrl } from '#dev/cluster';
import { Redis } from 'ioredis';
import type { CallError } from '#dev/stubs';
import { startAuthCluster, type AuthCluster } from './start-cluster.ts';

export interface LimitedAuth extends AuthCluster {
  /** What auth counts, by the keys in its Redis. */
  countedKeys(): Promise<string[]>;
}

/** For tests that count exactly: a machine that is busy with other tests must not look like a Redis that is gone. */
export const slowMachineLimits = { TASKFLOW_LIMITS_TIMEOUT_MS: '5000' };

/** Two replicas of auth behind a proxy that they trust, with the limits of the contract unless a test has others. */
export async function startLimitedAuth(settings: Record<string, string> = {}): Promise<LimitedAuth> {
  const namespace = `limits${randomBytes(4).toString('hex')}`;
  const started = await startAuthCluster({
    namespace,
    services: ['auth'],
    replicas: { auth: 2 },
    env: {
      TASKFLOW_LIMITS_REDIS_URL: testRedisUrl(),
      TASKFLOW_TRUSTED_PROXIES: '127.0.0.1/32',
      TASKFLOW_RATE_LIMITS: '{}',
      ...settings,
    },
  });
  return {
    ...started,
    countedKeys: async () => {
      const connection = new Redis(testRedisUrl());
      const keys = await connection.keys(`taskflow-${namespace}:*`);
      connection.disconnect();
      return keys.map((key) => key.replace(`taskflow-${namespace}:`, ''));
    },
  };
}

/** Call options that come from this address, through the proxy that is trusted. */
export const from = (peer: string): { metadata: Record<string, string> } => ({ metadata: { 'x-forwarded-for': peer } });

/** An address that no other test uses. */
export const newPeer = (): string => `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;

export interface Outcome {
  /** How many calls ended how: the reason of the error, or OK. */
  reasons: Record<string, number>;
  errors: CallError[];
}

/** Counts calls by how they ended. */
export async function outcomeOf(calls: Promise<unknown>[]): Promise<Outcome> {
  const outcome: Outcome = { reasons: {}, errors: [] };
  for (const result of await Promise.allSettled(calls)) {
    const error = result.status === 'rejected' ? (result.reason as CallError) : undefined;
    const reason = error === undefined ? 'OK' : (error.reason ?? error.message);
    outcome.reasons[reason] = (outcome.reasons[reason] ?? 0) + 1;
    if (error !== undefined) outcome.errors.push(error);
  }
  return outcome;
}

/** Makes this many calls at once; each gets its index, to take the replicas in turn. */
export const flood = (calls: number, one: (index: number) => Promise<unknown>): Promise<Outcome> =>
  outcomeOf(Array.from({ length: calls }, (_, index) => one(index)));

/** Makes this many calls one after another. */
export async function sequence(calls: number, one: (index: number) => Promise<unknown>): Promise<Outcome> {
  const made: Promise<unknown>[] = [];
  for (let index = 0; index < calls; index += 1) {
    made.push(one(index));
    await Promise.allSettled(made.slice(-1));
  }
  return outcomeOf(made);
}
