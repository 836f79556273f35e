import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AppError } from '#libs/errors';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** What a token is good for; with any part changed it no longer opens. */
export interface PageScope {
  /** The user's id, or the service's name. */
  caller: string;
  method: string;
  /** Everything that selects or orders the rows, page size excepted. */
  filter: JsonValue;
}

/** Turns positions in a list into opaque tokens that only their owner can use, and only for the same list. */
export interface PageTokens {
  seal(position: JsonValue, scope: PageScope): string;
  /** The position; undefined for '' (the first page). Throws PAGE_TOKEN_INVALID naming page_token. */
  open<T extends JsonValue>(token: string, scope: PageScope): T | undefined;
}

const version = 1;
const ivBytes = 12;
const tagBytes = 16;

/** `key` is 32 bytes, the same in every replica: AES-256-GCM with the scope as additional data. */
export function createPageTokens(key: Buffer): PageTokens {
  return {
    seal: (position, scope) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(canonical(scope));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(position), 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(version), iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open: <T extends JsonValue>(token: string, scope: PageScope) => {
      if (token === '') return undefined;
      try {
        return JSON.parse(unseal(key, Buffer.from(token, 'base64url'), scope)) as T;
      } catch {
        throw invalidToken();
      }
    },
  };
}

function unseal(key: Buffer, bytes: Buffer, scope: PageScope): string {
  if (bytes[0] !== version) throw new Error('unknown version');
  const tagStart = 1 + ivBytes;
  const sealedStart = tagStart + tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, tagStart), { authTagLength: tagBytes })
    .setAAD(canonical(scope))
    .setAuthTag(bytes.subarray(tagStart, sealedStart));
  return Buffer.concat([decipher.update(bytes.subarray(sealedStart)), decipher.final()]).toString('utf8');
}

/** The order of keys in a filter must not matter. */
function canonical({ caller, method, filter }: PageScope): Buffer {
  return Buffer.from(JSON.stringify([caller, method, filter], sortKeys));
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function invalidToken(): AppError {
  return new AppError('invalid_argument', 'PAGE_TOKEN_INVALID', 'invalid: page_token', {
    details: { violations: [{ field: 'page_token', description: 'is damaged, or was given for another request or caller; begin again without it' }] },
  });
}
