import { hash } from 'node:crypto';

/**
 * Remembers what verified tokens said until they expire, so that the signature is checked once (hundreds of microseconds)
 * instead of at every call. Keeps hashes, not tokens; forgets the least recently used beyond `limit`.
 */
export interface TokenCache<T> {
  find(token: string): T | undefined;
  /** `expiresAt` in milliseconds since 1970. */
  remember(token: string, value: T, expiresAt: number): void;
}

export function createTokenCache<T>(limit: number): TokenCache<T> {
  // A Map keeps the order of insertion: the first key is the one that was not used for longest.
  const entries = new Map<string, { value: T; expiresAt: number }>();
  const keyOf = (token: string): string => hash('sha256', token, 'base64');
  return {
    find: (token) => {
      const key = keyOf(token);
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.expiresAt <= Date.now()) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    remember: (token, value, expiresAt) => {
      entries.set(keyOf(token), { value, expiresAt });
      const [oldest] = entries.keys();
      if (entries.size > limit && oldest !== undefined) entries.delete(oldest);
    },
  };
}
