import { z } from 'zod';
import type { Scope } from '#contract/policy/v1/policy';
import { toScopeMessage, tokenScopes } from '#libs/contract';
import { fieldTypes } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { requireUser } from '#libs/grpc';
import type { CallContext } from '#libs/runtime';

/** In the order of the contract. */
const scopes = z
  .array(z.string())
  .refine(
    (names) => names.length > 0 && new Set(names).size === names.length,
    'must name at least one scope that a token can hold, and each once',
  )
  .pipe(fieldTypes.setOf(tokenScopes.map(toScopeMessage), 'must be a scope that a token can hold'));

/** What the personal token of a call allows; nothing for a session. */
export function scopesOf(call: CallContext): Scope[] {
  const held = requireUser(call).token?.scopes ?? [];
  return tokenScopes.filter((scope) => held.includes(scope)).map(toScopeMessage);
}

const request = fieldsOf('taskflow.auth.v1.CreatePersonalTokenRequest');

/** What a client says of a new personal token. */
export const newPersonalToken = { name: request.text('name'), scopes, ttl: request.span('ttl') };
