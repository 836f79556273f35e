import { AppError } from '#libs/errors';
import { decodeCanonical } from '#libs/runtime';
import { createSealing } from './sealing.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** The scope of a token. When a part differs, the token does not open. */
export interface PageScope {
  /** The user's id, or the service's name. */
  caller: string;
  method: string;
  /** Everything that selects or orders the rows, except the page size. */
  filter: JsonValue;
}

/** Turns positions in a list into opaque tokens that only their owner can use, and only for the same list. */
export interface PageTokens {
  seal(position: JsonValue, scope: PageScope): string;
  /** Returns the position, or undefined for '' (the first page). Throws PAGE_TOKEN_INVALID naming page_token. */
  open<T extends JsonValue>(token: string, scope: PageScope): T | undefined;
}

/** `keys` are 32 bytes each, the newest first, the same in every replica. A token is bound to its scope. */
export function createPageTokens(keys: readonly Buffer[]): PageTokens {
  const sealing = createSealing(keys);
  return {
    seal: (position, scope) =>
      sealing.seal(Buffer.from(JSON.stringify(position)), canonical(scope)).toString('base64url'),
    open: <T extends JsonValue>(token: string, scope: PageScope) => {
      if (token === '') return undefined;
      try {
        const bytes = decodeCanonical(token, 'base64url') ?? Buffer.alloc(0);
        return JSON.parse(sealing.open(bytes, canonical(scope)).toString('utf8')) as T;
      } catch {
        throw invalidToken();
      }
    },
  };
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
    details: {
      violations: [
        {
          field: 'page_token',
          description: 'is damaged, or was given for another request or caller; begin again without it',
        },
      ],
    },
  });
}
