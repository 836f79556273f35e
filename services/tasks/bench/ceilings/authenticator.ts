import { importJWK, type CryptoKey, type JWK } from 'jose';
import type { Authenticator } from '#libs/grpc';
import { createAuthenticator } from '#libs/identity';

/** auth's public keys. */
export type Keys = readonly (JWK & { kid: string })[];

/** Checks users' tokens as the service does, with keys that are already there. */
export async function authenticatorWith(keys: Keys): Promise<Authenticator> {
  const byId = new Map<string, CryptoKey>();
  for (const key of keys) byId.set(key.kid, (await importJWK(key, 'EdDSA')) as CryptoKey);
  return createAuthenticator({
    service: 'tasks',
    accessKeys: { get: async (kid) => byId.get(kid) },
    servicePublicKeys: { keys: [] },
  });
}
