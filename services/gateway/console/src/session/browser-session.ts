import { TaskFlowError, type Connection, type Credentials } from '#client/index';
import { AuthService, type TokenPair } from '#client/auth';
import { renewTimeMs } from '#client/session';
import type { ServiceClient } from '#client/index';

/** Whether somebody is signed in here; "unknown" until the browser's cookie has been tried. */
export type SessionState = 'unknown' | 'in' | 'out' | 'unreachable';

interface AccessToken {
  token: string;
  renewMs: number;
}

/** Says that there may be a session, so that a first visit asks for none. It is no secret and proves nothing. */
const hint = 'taskflow.session';

/** One exchange at a time in all tabs, which share the cookie. Browsers have locks on HTTPS and localhost alone. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const locks = (navigator as { locks?: LockManager }).locks;
  return locks === undefined ? work() : locks.request(hint, work);
}

const isRefused = (error: unknown): boolean => error instanceof TaskFlowError && error.code === 'UNAUTHENTICATED';

/**
 * The session of a browser. The access token is held in memory alone. The refresh token is in a cookie that no script
 * can read; the gateway puts it into the calls of `door`.
 */
export class BrowserSession implements Credentials {
  readonly #auth: ServiceClient<typeof AuthService>;
  readonly #channel = new BroadcastChannel(hint);
  readonly #listeners = new Set<() => void>();
  #held: AccessToken | undefined;
  #renewing: Promise<string | undefined> | undefined;
  #state: SessionState = 'unknown';

  constructor(door: Connection) {
    this.#auth = door.service(AuthService);
    this.#channel.onmessage = () => this.#forget();
  }

  get state(): SessionState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Goes on with the session of the browser, if there is one. */
  async resume(): Promise<void> {
    if (localStorage.getItem(hint) === null) return this.#forget();
    try {
      await this.token();
    } catch (error) {
      if (!isRefused(error)) this.#become('unreachable');
    }
  }

  async login(account: { email: string; password: string }): Promise<void> {
    this.#keep((await this.#auth.login(account)).tokens);
  }

  /** Resolves to whether the new account is signed in; where its e-mail must be verified first, it is not. */
  async register(account: {
    email: string;
    password: string;
    displayName: string;
    invitationToken?: string;
  }): Promise<boolean> {
    const { tokens } = await this.#auth.register(account);
    this.#keep(tokens);
    return tokens !== undefined;
  }

  /** Ends the session here, in the other tabs and on the server. */
  async logout(): Promise<void> {
    await alone(() => this.#auth.logout({})).catch((error: unknown) => {
      if (!isRefused(error)) throw error;
    });
    this.#channel.postMessage('out');
    this.#forget();
  }

  async token(): Promise<string | undefined> {
    const held = this.#held;
    if (held !== undefined && Date.now() < held.renewMs) return held.token;
    try {
      return await this.#renewOnce();
    } catch (error) {
      // While auth is down, the token may still be good for a while.
      if (held === undefined || isRefused(error)) throw error;
      return held.token;
    }
  }

  async renew(refused: string): Promise<boolean> {
    if (this.#held !== undefined && this.#held.token !== refused) return true;
    return (await this.#renewOnce()) !== undefined;
  }

  /** Calls that come meanwhile share the one exchange. */
  #renewOnce(): Promise<string | undefined> {
    this.#renewing ??= this.#exchange().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #exchange(): Promise<string | undefined> {
    try {
      const { tokens } = await alone(() => this.#auth.refreshSession({}));
      this.#keep(tokens);
      return tokens?.accessToken;
    } catch (error) {
      if (isRefused(error)) this.#forget();
      throw error;
    }
  }

  #keep(tokens: TokenPair | undefined): void {
    if (tokens === undefined) return;
    this.#held = { token: tokens.accessToken, renewMs: renewTimeMs(tokens) };
    localStorage.setItem(hint, '1');
    this.#become('in');
  }

  #forget(): void {
    this.#held = undefined;
    localStorage.removeItem(hint);
    this.#become('out');
  }

  #become(state: SessionState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
