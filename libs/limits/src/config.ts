import { envTypes } from '#libs/runtime';
import { z } from 'zod';

/** An operator's limit in place of the contract's. */
export type RateLimitOverride = 'unlimited' | { requests: number; perSeconds: number };

/** By method ("taskflow.auth.v1.AuthService/Login"); "*" stands for every method that is not named. */
export type RateLimitOverrides = Readonly<Record<string, RateLimitOverride>>;

export interface LimitsConfig {
  /** The Redis that counts for all replicas of a service. */
  redisUrl: string;
  /** The first part of every key in Redis. */
  prefix: string;
  overrides: RateLimitOverrides;
  /** How long one answer of Redis may take. Default 45. */
  timeoutMs?: number;
}

/** The contract's methods by path ("/taskflow.auth.v1.AuthService/Login"), and whether they have a limit. */
export type KnownMethods = ReadonlyMap<string, { rateLimit: object | undefined }>;

const longestSeconds = 86_400;

const rule = `must be "unlimited" or { "requests": 1 or more, "perSeconds": 1 to ${longestSeconds} }`;
const whole = (max: number) => z.number().int().min(1).max(max);
const override = z.union([
  z.literal('unlimited'),
  z.strictObject({ requests: whole(1_000_000_000), perSeconds: whole(longestSeconds) }),
]);

function findFaults(overrides: Readonly<Record<string, unknown>>, methods: KnownMethods): string[] {
  return Object.entries(overrides).flatMap(([name, given]) => {
    if (!override.safeParse(given).success) return [`${JSON.stringify(name)} is ${shorten(given)}, but ${rule}`];
    if (name === '*') return [];
    const method = methods.get(`/${name}`);
    if (method === undefined) return [`names ${name}, which the contract does not declare`];
    return method.rateLimit === undefined && given !== 'unlimited'
      ? [`limits ${name}, which the contract leaves unlimited`]
      : [];
  });
}

const longestValue = 100;

function shorten(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}…`;
}

const example = '{ "taskflow.auth.v1.AuthService/Login": { "requests": 60, "perSeconds": 60 }, "*": "unlimited" }';

function overridesType(methods: KnownMethods) {
  return envTypes
    .json(z.record(z.string(), z.unknown(), `must be an object of limits by method, such as ${example}`))
    .transform((overrides, context): RateLimitOverrides => {
      const faults = findFaults(overrides, methods);
      if (faults.length > 0) context.addIssue({ code: 'custom', message: faults.join('; ') });
      return overrides as RateLimitOverrides;
    })
    .optional();
}

const prefix = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/, 'must have 1 to 100 characters from A-Z a-z 0-9 _ -')
  .default('taskflow');

const redisUrl = envTypes.url('redis:', 'rediss:');

/**
 * The entries of a service's configuration that concern limits, for `loadServiceConfig`. Without
 * TASKFLOW_LIMITS_REDIS_URL the queues' Redis counts too, and its URL is required.
 */
export function limitsEntries(methods: KnownMethods, env: NodeJS.ProcessEnv) {
  const hasOwn = [env['TASKFLOW_LIMITS_REDIS_URL'], env['TASKFLOW_LIMITS_REDIS_URL_FILE']].some(
    (value) => value !== undefined && value !== '',
  );
  return {
    TASKFLOW_LIMITS_REDIS_URL: redisUrl.optional(),
    TASKFLOW_REDIS_URL: (hasOwn ? redisUrl.optional() : redisUrl) as z.ZodType<string | undefined>,
    TASKFLOW_LIMITS_PREFIX: prefix,
    // Login asks twice, for its attempts too, and must be answered within 100 ms, also while Redis is silent.
    TASKFLOW_LIMITS_TIMEOUT_MS: envTypes.positiveInt(45, 60_000),
    TASKFLOW_RATE_LIMITS: overridesType(methods),
  };
}

/** The values of `limitsEntries` as one object. */
export function toLimitsConfig(own: z.infer<z.ZodObject<ReturnType<typeof limitsEntries>>>): LimitsConfig {
  return {
    redisUrl: own.TASKFLOW_LIMITS_REDIS_URL ?? own.TASKFLOW_REDIS_URL ?? '',
    prefix: own.TASKFLOW_LIMITS_PREFIX,
    overrides: own.TASKFLOW_RATE_LIMITS ?? {},
    timeoutMs: own.TASKFLOW_LIMITS_TIMEOUT_MS,
  };
}
