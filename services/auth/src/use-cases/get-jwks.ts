import type { AuthDeps, PublishedKey } from '../deps.ts';

/** How long a copy of the key set may be used. A new key is published for longer than this before it signs. */
export const jwksMaxAgeMs = 5 * 60_000;

export async function getJwks({ signingKeys }: Pick<AuthDeps, 'signingKeys'>): Promise<{ keys: PublishedKey[]; maxAgeMs: number }> {
  return { keys: await signingKeys.listPublished(), maxAgeMs: jwksMaxAgeMs };
}
