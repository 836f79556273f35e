import type { KeyObject } from 'node:crypto';
import type { UnitOfWork } from '#libs/db';
import type { AccessKeys } from '#libs/identity';
import { runInBackground, type Clock, type Logger } from '#libs/runtime';
import { importJWK } from 'jose';
import type { Repositories, SigningKeys } from '../deps.ts';
import { findSigningKey, type PublicJwk, type SigningKey } from '../domain/signing-key.entity.ts';
import type { KeyCipher } from './key-cipher.ts';
import { generateSigningKey, openPrivateKey } from './signing-key-maker.ts';

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
  keys: readonly SigningKey[];
  publicKeys: ReadonlyMap<string, CryptoKey>;
  privateKeys: ReadonlyMap<string, KeyObject>;
  /** By this process's clock. */
  loadTime: number;
  /** The same moment by the database's clock. */
  databaseTime: number;
}

// Other replicas' changes are noticed after this long; the margin of a rotation covers it.
const maxAgeMs = 2000;
// An unknown kid, or a database that is away, makes one more attempt per this long.
const retryAfterMs = 1000;
const loadTimeoutMs = 5000;

/**
 * The signing keys of the database, kept in memory. The first key is made when there is none yet. While the database is
 * away, the keys in memory stay valid.
 */
export function createSigningKeyRing(options: SigningKeyRingOptions): SigningKeyRing {
  const { clock, logger } = options;
  let loaded: LoadedKeys | undefined;
  let loading: Promise<LoadedKeys> | undefined;
  let lastAttemptTime = -Infinity;

  // All callers share one attempt, so it must not end with the deadline of one of them.
  function reload(): Promise<LoadedKeys> {
    lastAttemptTime = clock.now().getTime();
    loading ??= runInBackground({ name: 'load-signing-keys', logger, timeoutMs: loadTimeoutMs }, () =>
      loadKeys(options),
    )
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

  const isFresh = (keys: LoadedKeys): boolean => Math.abs(clock.now().getTime() - keys.loadTime) < maxAgeMs;
  const databaseNow = (keys: LoadedKeys): Date => new Date(keys.databaseTime + clock.now().getTime() - keys.loadTime);
  return {
    getActive: async () => {
      const found = await current(isFresh);
      return getSigning(found, databaseNow(found));
    },
    listPublished: async () => {
      const found = await current(isFresh);
      return found.keys
        .filter((key) => key.isPublished(databaseNow(found)))
        .map(({ kid, publicJwk }) => ({ kid, publicJwk }));
    },
    get: async (kid) => (await current((keys) => isFresh(keys) && keys.publicKeys.has(kid))).publicKeys.get(kid),
    generate: () => generateSigningKey(options.cipher),
    refresh: async () => {
      // One that is under way may have begun too early to see the change.
      await loading?.catch(() => undefined);
      await reload().catch((error: unknown) =>
        logger.warn({ err: error }, 'signing keys could not be loaded after a change'),
      );
    },
  };
}

async function loadKeys({ uow, cipher, clock }: SigningKeyRingOptions): Promise<LoadedKeys> {
  const list = () => uow.run(({ signingKeys }) => signingKeys.listUsable());
  let usable = await list();
  if (findSigningKey(usable.keys, usable.now) === undefined) {
    const candidate = generateSigningKey(cipher);
    await uow.run(({ signingKeys }) => signingKeys.addFirst(candidate));
    usable = await list();
  }
  const loadTime = clock.now().getTime();
  const { keys, now } = usable;
  const publicKeys = await Promise.all(
    keys.map(async ({ kid, publicJwk }) => [kid, await importPublicKey(publicJwk)] as const),
  );
  // A key that will never sign again may have been sealed under an earlier encryption key.
  const signing = findSigningKey(keys, now);
  if (signing === undefined) throw new Error('no signing key may sign now');
  const signers = keys.filter((key) => key.signTime >= signing.signTime);
  return {
    keys,
    publicKeys: new Map(publicKeys),
    privateKeys: new Map(signers.map((key) => [key.kid, openPrivateKey(cipher, key)] as const)),
    loadTime,
    databaseTime: now.getTime(),
  };
}

function getSigning({ keys, privateKeys }: LoadedKeys, now: Date): { kid: string; privateKey: KeyObject } {
  const kid = findSigningKey(keys, now)?.kid ?? '';
  const privateKey = privateKeys.get(kid);
  if (privateKey === undefined) throw new Error('no signing key may sign now');
  return { kid, privateKey };
}

async function importPublicKey(jwk: PublicJwk): Promise<CryptoKey> {
  return (await importJWK({ ...jwk }, 'EdDSA')) as CryptoKey;
}
