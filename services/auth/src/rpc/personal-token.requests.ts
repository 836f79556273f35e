import { z } from 'zod';
import type { Scope } from '#contract/policy/v1/policy';
import { findScope, toScopeMessage, tokenScopes } from '#libs/contract';
import { fieldTypes } from '#libs/errors';
import { toMilliseconds } from '#libs/runtime';

const isGiven = (name: string): boolean => findScope(name as Scope) !== undefined;

/** One violation for the whole list, however long. The result is in the order of the contract. */
const scopes = z
  .array(z.string())
  .refine(
    (names) => names.length > 0 && new Set(names).size === names.length && names.every(isGiven),
    'must name at least one scope that a token can hold, and each once',
  )
  .transform((names): Scope[] => tokenScopes.map(toScopeMessage).filter((scope) => names.includes(scope)));

const [minTtlMs, maxTtlMs] = [60_000, 366 * 24 * 3_600_000];
const ttlRule = 'must be 1 minute to 366 days';
const ttl = z
  .object({ seconds: z.bigint(), nanos: z.number() }, ttlRule)
  .transform(toMilliseconds)
  .refine((ms) => ms >= minTtlMs && ms <= maxTtlMs, ttlRule);

/** What a client says of a new personal token. */
export const newPersonalToken = { name: fieldTypes.text({ min: 1, max: 100 }), scopes, ttl };
