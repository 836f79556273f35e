import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Connection } from './connection.ts';
import type { Credentials } from './credentials.ts';
import { TaskFlowError } from './errors.ts';
import { AuthService, type TokenPair } from './gen/taskflow/auth/v1/auth_pb.js';
import type { ServiceClient } from './service-client.ts';
import { memoryTokenStore, type SessionTokens, type TokenStore } from './token-store.ts';

/** Who signs in. */
export interface Account {
  email: string;
  password: string;
}

export interface SessionOptions {
  /** Where the session is kept. By default in memory. */
  store?: TokenStore;
  /** Signed in without being asked, whenever there is no session or it has ended. */
  account?: Account;
}

/** A token is renewed so long before its end, but not before half of its life. */
const marginMs = 60_000;

/** By the clock of the server alone, since that of this machine may be wrong. */
function lifetimeMs({ accessToken, accessTokenExpireTime }: TokenPair): number {
  try {
    const [, payload = ''] = accessToken.split('.');
    const { iat, exp } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, unknown>;
    if (typeof iat === 'number' && typeof exp === 'number') return (exp - iat) * 1000;
  } catch {
    // Not a JWT: its end is all that is known.
  }
  return accessTokenExpireTime === undefined ? 0 : timestampMs(accessTokenExpireTime) - Date.now();
}

/** From when on another access token is asked for, in milliseconds since 1970 by the clock of this machine. */
export function renewTimeMs(pair: TokenPair): number {
  const lifetime = lifetimeMs(pair);
  return Date.now() + lifetime - Math.min(marginMs, lifetime / 2);
}

function toSessionTokens(pair: TokenPair): SessionTokens {
  const { accessToken, refreshToken } = pair;
  return { accessToken, refreshToken, accessTokenRenewMs: renewTimeMs(pair) };
}

const isRefused = (error: unknown): boolean => error instanceof TaskFlowError && error.code === 'UNAUTHENTICATED';

/** A session of a person: signs in and out, and renews the access token ahead of its end, once for all calls. */
export class Session implements Credentials {
  readonly #connection: Connection;
  readonly #store: TokenStore;
  readonly #account: Account | undefined;
  #held: SessionTokens | undefined;
  #renewing: Promise<SessionTokens | undefined> | undefined;

  constructor(connection: Connection, { store = memoryTokenStore(), account }: SessionOptions = {}) {
    this.#connection = connection;
    this.#store = store;
    this.#account = account;
  }

  get #auth(): ServiceClient<typeof AuthService> {
    return this.#connection.service(AuthService);
  }

  async login(account: Account): Promise<void> {
    const { tokens } = await this.#auth.login(account);
    if (tokens !== undefined) await this.keep(tokens);
  }

  /** Goes on with the tokens of an answer, such as that of Register. */
  async keep(tokens: TokenPair): Promise<void> {
    await this.#keep(toSessionTokens(tokens));
  }

  /** Ends the session, here and on the server. */
  async logout(): Promise<void> {
    await this.#renewing?.catch(() => undefined);
    const tokens = await this.#tokens();
    if (tokens !== undefined) await this.#auth.logout({ refreshToken: tokens.refreshToken });
    await this.#forget();
  }

  /** Whether there is a session, as far as this program knows. */
  async isSignedIn(): Promise<boolean> {
    return (await this.#tokens()) !== undefined;
  }

  async token(): Promise<string | undefined> {
    const tokens = await this.#tokens();
    if (tokens !== undefined && Date.now() < tokens.accessTokenRenewMs) return tokens.accessToken;
    try {
      return (await this.#renew())?.accessToken;
    } catch (error) {
      // While auth is down, the token may still be good for a while.
      if (tokens === undefined || isRefused(error)) throw error;
      return tokens.accessToken;
    }
  }

  async renew(refused: string): Promise<boolean> {
    const tokens = await this.#tokens();
    if (tokens !== undefined && tokens.accessToken !== refused) return true;
    return (await this.#renew()) !== undefined;
  }

  async #tokens(): Promise<SessionTokens | undefined> {
    this.#held ??= await this.#store.read();
    return this.#held;
  }

  /** Calls that come meanwhile share the one renewal. */
  #renew(): Promise<SessionTokens | undefined> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewOnce(): Promise<SessionTokens | undefined> {
    const held = this.#held;
    const stored = await this.#store.read();
    // Another program with the same store may have been faster.
    if (stored !== undefined && stored.refreshToken !== held?.refreshToken && Date.now() < stored.accessTokenRenewMs)
      return (this.#held = stored);
    const tokens = stored ?? held;
    if (tokens === undefined) return this.#loginAgain();
    try {
      const answer = await this.#auth.refreshSession({ refreshToken: tokens.refreshToken });
      return answer.tokens === undefined ? undefined : await this.#keep(toSessionTokens(answer.tokens));
    } catch (error) {
      if (!isRefused(error)) throw error;
      return this.#recover(tokens, error);
    }
  }

  /** What is left when the refresh token is refused. */
  async #recover(refused: SessionTokens, error: unknown): Promise<SessionTokens | undefined> {
    const stored = await this.#store.read();
    if (stored !== undefined && stored.refreshToken !== refused.refreshToken) return (this.#held = stored);
    await this.#forget();
    if (this.#account === undefined) throw error;
    return this.#loginAgain();
  }

  async #loginAgain(): Promise<SessionTokens | undefined> {
    if (this.#account === undefined) return undefined;
    await this.login(this.#account);
    return this.#held;
  }

  /** The store comes first: a program that goes on with lost tokens would end the session. */
  async #keep(tokens: SessionTokens): Promise<SessionTokens> {
    await this.#store.write(tokens);
    this.#held = tokens;
    return tokens;
  }

  async #forget(): Promise<void> {
    this.#held = undefined;
    await this.#store.clear();
  }
}
