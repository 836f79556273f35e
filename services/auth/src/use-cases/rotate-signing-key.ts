import { RotateSigningKeyRequest, RotateSigningKeyResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { accessTokenLifetimeMs } from '../domain/revocation.entity.ts';
import { endingOf, onceFor, type Change } from './repeatable.ts';

type Deps = Pick<AuthDeps, 'uow' | 'signingKeys' | 'settings' | 'requestFingerprints'>;

const method = { name: 'RotateSigningKey', request: RotateSigningKeyRequest, response: RotateSigningKeyResponse };

/**
 * Makes the next signing key. It signs when every copy of the key set must have been fetched anew, and the keys before
 * it retire when the last token that they may have signed has expired. Until then a repeat with the same key
 * answers alike.
 */
export async function rotateSigningKey(
  deps: Deps,
  actor: UserActor,
  input: Change<RotateSigningKeyRequest>,
): Promise<RotateSigningKeyResponse> {
  const { signingKeys, settings } = deps;
  const { jwksMaxAgeMs, keyMarginMs } = settings;
  const times = { publishMs: jwksMaxAgeMs + keyMarginMs, retireMs: accessTokenLifetimeMs + keyMarginMs };
  const key = signingKeys.generate();
  const response = await endingOf(deps, input)(
    async (repositories) => {
      const signTime = await repositories.signingKeys.addNext(key, times);
      const details = { sign_time: signTime.toISOString() };
      await repositories.audit.add({
        action: 'signing_key_rotated',
        target: { kind: 'signing_key', id: key.kid },
        details,
      });
      return { kid: key.kid, signTime };
    },
    onceFor(deps, actor, method, input),
  );
  if (input.validateOnly) return response;
  // Published by this replica at once; the others look every few seconds.
  await signingKeys.refresh();
  return response;
}
