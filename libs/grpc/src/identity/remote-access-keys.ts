import { importJWK, type CryptoKey } from 'jose';
import type { GetJwksResponse } from '#contract/auth/v1/auth';
import { AppError } from '#libs/errors';
import { runInBackground, type Logger } from '#libs/runtime';
import type { AccessKeys } from './authenticator.ts';

export interface RemoteAccessKeysOptions {
  /** Asks auth for its key set. */
  fetch: () => Promise<GetJwksResponse>;
  logger: Logger;
}

export interface RemoteAccessKeys extends AccessKeys {
  /** Begins to fetch and keeps trying; resolves after the first attempt and never throws. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * For health: throws while no keys have arrived yet, but only in the first seconds. A cluster that starts as a whole is so
   * ready for its first call, and a service still serves while auth is down.
   */
  check(): Promise<void>;
}

const fetchTimeoutMs = 5000;
// A token with an unknown key must not let anybody make us ask auth again and again.
const unknownKidIntervalMs = 30_000;
// While there are no keys at all, calls that need one may ask this often.
const emptyIntervalMs = 1000;
const startPatienceMs = 5000;
const retry = { firstMs: 100, maxMs: 15_000 };
const refresh = { minMs: 500, maxMs: 3_600_000, fallbackMs: 300_000 };

function unavailable(): AppError {
  return new AppError('unavailable', 'KEYS_UNAVAILABLE', 'tokens cannot be checked yet', { details: { retryAfterMs: 1000 } });
}

type JsonWebKey = GetJwksResponse['keys'][number];

async function importKeys(keys: readonly JsonWebKey[], logger: Logger): Promise<Map<string, CryptoKey>> {
  const usable = new Map<string, CryptoKey>();
  for (const { kid, kty, crv, x } of keys) {
    try {
      usable.set(kid, (await importJWK({ kty, crv, x }, 'EdDSA')) as CryptoKey);
    } catch (error) {
      logger.warn({ err: error, kid }, 'access key could not be read');
    }
  }
  return usable;
}

/** After this long a key set is fetched again: a little before it may no longer be used. */
function refreshAfterMs({ maxAge }: GetJwksResponse): number {
  const maxAgeMs = maxAge === undefined ? refresh.fallbackMs : Number(maxAge.seconds) * 1000;
  return Math.min(refresh.maxMs, Math.max(refresh.minMs, maxAgeMs * 0.8));
}

/**
 * auth's public keys, kept in memory and fetched anew in the background. While auth cannot be reached the keys at hand stay in
 * use, since tokens signed with them are still good.
 */
export function createRemoteAccessKeys({ fetch, logger }: RemoteAccessKeysOptions): RemoteAccessKeys {
  let keys: Map<string, CryptoKey> | undefined;
  let running: Promise<boolean> | undefined;
  let lastFetchAt = -Infinity;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const createTime = Date.now();

  const schedule = (delayMs: number): void => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => void update(), delayMs * (0.8 + Math.random() * 0.4));
    timer.unref();
  };
  const fetchOnce = async (): Promise<boolean> => {
    lastFetchAt = Date.now();
    try {
      // In a context of its own: the keys are for everybody, so no single call's deadline or cancellation may end it.
      const response = await runInBackground({ name: 'fetch-access-keys', logger, timeoutMs: fetchTimeoutMs }, fetch);
      keys = await importKeys(response.keys, logger);
      failures = 0;
      schedule(refreshAfterMs(response));
      return true;
    } catch (error) {
      logger.warn({ err: error }, 'access keys could not be fetched');
      schedule(Math.min(retry.maxMs, retry.firstMs * 2 ** failures++));
      return false;
    } finally {
      running = undefined;
    }
  };
  const update = (): Promise<boolean> => (running ??= fetchOnce());
  const mayAsk = (): boolean => Date.now() - lastFetchAt >= (keys === undefined ? emptyIntervalMs : unknownKidIntervalMs);

  return {
    get: async (kid) => {
      const known = keys?.get(kid);
      if (known !== undefined) return known;
      // It may be a key that was made after the last fetch.
      if (running !== undefined || mayAsk()) await update();
      if (keys === undefined) throw unavailable();
      return keys.get(kid);
    },
    start: async () => void (await update()),
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
    },
    check: async () => {
      if (keys === undefined && Date.now() - createTime < startPatienceMs) throw new Error('no access keys yet');
    },
  };
}
