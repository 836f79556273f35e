import { importJWK, type CryptoKey } from 'jose';
import type { GetJwksResponse } from '#contract/auth/v1/auth';
import { AppError } from '#libs/errors';
import { backoffMs, runInBackground, type Logger } from '#libs/runtime';
import type { AccessKeys } from './authenticator.ts';

interface RemoteAccessKeysOptions {
  /** Fetches the key set from auth. */
  fetch: () => Promise<GetJwksResponse>;
  logger: Logger;
}

export interface RemoteAccessKeys extends AccessKeys {
  /** Starts to fetch and keeps trying. Resolves after the first attempt; never throws. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** For health: throws while there are no keys, in the first seconds; a service also serves without auth. */
  check(): Promise<void>;
}

const fetchTimeoutMs = 5000;
// Bounds the requests to auth that tokens with unknown keys can cause.
const unknownKidIntervalMs = 30_000;
// While there are no keys, calls may ask auth this often.
const emptyIntervalMs = 1000;
const startGraceMs = 5000;
const retry = { firstMs: 100, maxMs: 15_000 };
const refresh = { minMs: 500, maxMs: 3_600_000, fallbackMs: 300_000 };

function unavailable(): AppError {
  return new AppError('unavailable', 'KEYS_UNAVAILABLE', 'tokens cannot be checked yet', {
    details: { retryAfterMs: 1000 },
  });
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

/** When to fetch a key set again: a little before it expires. */
function refreshAfterMs({ maxAge }: GetJwksResponse): number {
  const maxAgeMs = maxAge === undefined ? refresh.fallbackMs : Number(maxAge.seconds) * 1000;
  return Math.min(refresh.maxMs, Math.max(refresh.minMs, maxAgeMs * 0.8));
}

/**
 * Keeps auth's public keys in memory and refreshes them in the background. While auth cannot be reached, the known keys
 * stay in use, because tokens that are signed with them remain valid.
 */
export function createRemoteAccessKeys({ fetch, logger }: RemoteAccessKeysOptions): RemoteAccessKeys {
  let keys: Map<string, CryptoKey> | undefined;
  let running: Promise<boolean> | undefined;
  let lastFetchAt = -Infinity;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const createdAt = performance.now();

  const schedule = (delayMs: number): void => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => void update(), delayMs);
    timer.unref();
  };
  const fetchOnce = async (): Promise<boolean> => {
    lastFetchAt = performance.now();
    try {
      // In a context of its own, because the keys serve all calls and no single call may cancel the request.
      const response = await runInBackground({ name: 'fetch-access-keys', logger, timeoutMs: fetchTimeoutMs }, fetch);
      keys = await importKeys(response.keys, logger);
      failures = 0;
      schedule(refreshAfterMs(response) * (0.8 + Math.random() * 0.4));
      return true;
    } catch (error) {
      logger.warn({ err: error }, 'access keys could not be fetched');
      schedule(backoffMs(retry, (failures += 1)));
      return false;
    } finally {
      running = undefined;
    }
  };
  const update = (): Promise<boolean> => (running ??= fetchOnce());
  const mayAsk = (): boolean =>
    performance.now() - lastFetchAt >= (keys === undefined ? emptyIntervalMs : unknownKidIntervalMs);

  return {
    get: async (kid) => {
      const known = keys?.get(kid);
      if (known !== undefined) return known;
      // The key may be newer than the last fetch.
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
      if (keys === undefined && performance.now() - createdAt < startGraceMs) throw new Error('no access keys yet');
    },
  };
}
