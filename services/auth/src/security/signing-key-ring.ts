import { createPrivateKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import type { UnitOfWork } from '#libs/db';
import type { AccessKeys } from '#libs/grpc';
import { runInBackground, type Clock, type Logger } from '#libs/runtime';
import { importJWK } from 'jose';
import type { PublishedKey, Repositories, SigningKeys } from '../deps.ts';
import { SigningKey, type PublicJwk } from '../domain/signing-key.entity.ts';
import type { KeyCipher } from './key-cipher.ts';

export interface SigningKeyRingOptions {
  uow: UnitOfWork<Repositories>;
  cipher: KeyCipher;
  clock: Clock;
  logger: Logger;
}

export interface SigningKeyRing extends SigningKeys, AccessKeys {
  /** The key that new tokens are signed with. */
  getActive(): Promise<{ kid: string; privateKey: KeyObject }>;
}

interface LoadedKeys {
  published: PublishedKey[];
  publicKeys: ReadonlyMap<string, CryptoKey>;
  active: { kid: string; privateKey: KeyObject };
  loadTime: number;
}

// Other replicas' changes are noticed after this long.
const maxAgeMs = 30_000;
// An unknown kid, or a database that is away, makes one more attempt per this long.
const retryAfterMs = 1000;
const loadTimeoutMs = 5000;

/**
 * The signing keys of the database, kept in memory. The first key is made when there is none yet. While the database is
 * away the keys in memory stay good.
 */
export function createSigningKeyRing(options: SigningKeyRingOptions): SigningKeyRing {
  const { clock, logger } = options;
  let loaded: LoadedKeys | undefined;
  let loading: Promise<LoadedKeys> | undefined;
  let lastAttemptTime = -Infinity;

  // All callers share one attempt, so it must not end with the deadline of one of them.
  function reload(): Promise<LoadedKeys> {
    lastAttemptTime = clock.now().getTime();
    loading ??= runInBackground({ name: 'load-signing-keys', logger, timeoutMs: loadTimeoutMs }, () => loadKeys(options))
      .then((keys) => (loaded = keys))
      .finally(() => (loading = undefined));
    return loading;
  }

  async function current(isGoodEnough: (keys: LoadedKeys) => boolean): Promise<LoadedKeys> {
    if (loaded === undefined) return reload();
    const stale = loaded;
    if (isGoodEnough(stale) || clock.now().getTime() - lastAttemptTime < retryAfterMs) return stale;
    return reload().catch((error: unknown) => {
      logger.warn({ err: error }, 'signing keys could not be loaded again; the ones in memory are used');
      return stale;
    });
  }

  const isFresh = (keys: LoadedKeys): boolean => clock.now().getTime() - keys.loadTime < maxAgeMs;
  return {
    getActive: async () => (await current(isFresh)).active,
    listPublished: async () => (await current(isFresh)).published,
    get: async (kid) => (await current((keys) => isFresh(keys) && keys.publicKeys.has(kid))).publicKeys.get(kid),
  };
}

async function loadKeys({ uow, cipher, clock }: SigningKeyRingOptions): Promise<LoadedKeys> {
  let keys = await uow.run(({ signingKeys }) => signingKeys.listUsable());
  if (!keys.some((key) => key.state === 'active')) {
    const candidate = generateSigningKey(cipher, clock.now());
    await uow.run(({ signingKeys }) => signingKeys.addUnlessOneIsActive(candidate));
    keys = await uow.run(({ signingKeys }) => signingKeys.listUsable());
  }
  const active = keys.find((key) => key.state === 'active');
  if (active === undefined) throw new Error('no signing key is active');
  const publicKeys = await Promise.all(keys.map(async ({ kid, publicJwk }) => [kid, await importPublicKey(publicJwk)] as const));
  return {
    published: keys.map(({ kid, publicJwk }) => ({ kid, publicJwk })),
    publicKeys: new Map(publicKeys),
    active: { kid: active.kid, privateKey: openPrivateKey(cipher, active) },
    loadTime: clock.now().getTime(),
  };
}

function generateSigningKey(cipher: KeyCipher, now: Date): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const kid = randomBytes(12).toString('base64url');
  const { x } = publicKey.export({ format: 'jwk' });
  const sealedPrivateKey = cipher.seal(privateKey.export({ format: 'der', type: 'pkcs8' }), kid);
  return SigningKey.createActive({ kid, publicJwk: { kty: 'OKP', crv: 'Ed25519', x: x ?? '' }, sealedPrivateKey }, now);
}

function openPrivateKey(cipher: KeyCipher, { kid, sealedPrivateKey }: SigningKey): KeyObject {
  try {
    return createPrivateKey({ key: cipher.open(sealedPrivateKey, kid), format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw new Error(`signing key ${kid} cannot be opened: it was stored under another TASKFLOW_AUTH_ENCRYPTION_KEY`, { cause });
  }
}

async function importPublicKey(jwk: PublicJwk): Promise<CryptoKey> {
  return (await importJWK({ ...jwk }, 'EdDSA')) as CryptoKey;
}
