import type { AuthDeps, PublishedKey } from '../deps.ts';

export async function getJwks({ signingKeys, settings }: Pick<AuthDeps, 'signingKeys' | 'settings'>): Promise<{ keys: PublishedKey[]; maxAgeMs: number }> {
  return { keys: await signingKeys.listPublished(), maxAgeMs: settings.jwksMaxAgeMs };
}
