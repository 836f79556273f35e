import { RotateSigningKeyRequest, RotateSigningKeyResponse } from '#contract/auth/v1/auth';
import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { accessTokenLifetimeMs } from '../domain/revocation.entity.ts';

type Deps = Pick<AuthDeps, 'uow' | 'signingKeys' | 'settings' | 'logger'>;

/**
 * Makes the next signing key. It signs when every copy of the key set must have been fetched anew, and the keys before it
 * retire when the last token that they may have signed has expired. Until then a repeat with the same request id answers alike.
 */
export async function rotateSigningKey({ uow, signingKeys, settings, logger }: Deps, actor: UserActor, request: RotateSigningKeyRequest): Promise<RotateSigningKeyResponse> {
  const { jwksMaxAgeMs, keyMarginMs } = settings;
  const times = { publishMs: jwksMaxAgeMs + keyMarginMs, retireMs: accessTokenLifetimeMs + keyMarginMs };
  const key = signingKeys.generate();
  const response = await uow.run(
    async (repositories) => ({ kid: key.kid, signTime: await repositories.signingKeys.addNext(key, times) }),
    once({ userId: actor.userId, method: 'RotateSigningKey', requestId: request.requestId }, request, RotateSigningKeyRequest, RotateSigningKeyResponse),
  );
  if (response.kid === key.kid) logger.info({ kid: key.kid, signTime: response.signTime, accountId: actor.userId }, 'signing key rotated');
  // Published by this replica at once; the others look every few seconds.
  await signingKeys.refresh();
  return response;
}
