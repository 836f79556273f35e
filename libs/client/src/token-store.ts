/** The tokens of a session. */
export interface SessionTokens {
  accessToken: string;
  refreshToken: string;
  /** From when on a new access token is asked for, in milliseconds since 1970 by the clock of this machine. */
  accessTokenRenewMs: number;
}

/** Where a session is kept. `write` resolves when the tokens outlive the program. */
export interface TokenStore {
  read(): Promise<SessionTokens | undefined>;
  write(tokens: SessionTokens): Promise<void>;
  clear(): Promise<void>;
}

/** For as long as the program runs. */
export function memoryTokenStore(): TokenStore {
  let held: SessionTokens | undefined;
  return {
    read: async () => held,
    write: async (tokens) => {
      held = tokens;
    },
    clear: async () => {
      held = undefined;
    },
  };
}

/** Undefined for a text that holds no tokens, such as that of a file which somebody has edited. */
export function parseTokens(text: string): SessionTokens | undefined {
  try {
    const { accessToken, refreshToken, accessTokenRenewMs } = JSON.parse(text) as Partial<SessionTokens>;
    const isWhole = typeof accessToken === 'string' && typeof refreshToken === 'string' && refreshToken !== '';
    return isWhole ? { accessToken, refreshToken, accessTokenRenewMs: Number(accessTokenRenewMs) || 0 } : undefined;
  } catch {
    return undefined;
  }
}

/** The Web Storage interface, as far as it is used. */
export type WebStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** In `localStorage` or `sessionStorage` of a browser, where every script of the page can read it. */
export function webTokenStore(storage: WebStorage, key = 'taskflow.session'): TokenStore {
  return {
    read: async () => parseTokens(storage.getItem(key) ?? ''),
    write: async (tokens) => storage.setItem(key, JSON.stringify(tokens)),
    clear: async () => storage.removeItem(key),
  };
}
