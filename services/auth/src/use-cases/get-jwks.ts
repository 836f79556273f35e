import type { GetJwksResponse } from '#contract/auth/v1/auth';
import { toDuration } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';

export async function getJwks({
  signingKeys,
  settings,
}: Pick<AuthDeps, 'signingKeys' | 'settings'>): Promise<GetJwksResponse> {
  const keys = await signingKeys.listPublished();
  return {
    keys: keys.map(({ kid, publicJwk: { kty, crv, x } }) => ({ kid, kty, crv, alg: 'EdDSA', use: 'sig', x })),
    maxAge: toDuration(settings.jwksMaxAgeMs),
  };
}
