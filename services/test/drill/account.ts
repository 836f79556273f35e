import { randomBytes } from 'node:crypto';
import type { CallError } from '#libs/grpc';
import type { Caller } from './caller.ts';
import type { Stage } from './stage.ts';

/** Somebody who is signed in; the tokens are replaced as they are refreshed. */
export interface Account {
  userId: string;
  email: string;
  password: string;
  token: string;
  refreshToken: string;
  tokenSince: number;
}

/** Calls are given up after this time, so that a frozen replica is noticed. */
export const attemptMs = 3000;

/** An answer that got lost leaves the account behind: then signing in is what remains to do. */
export async function register(stage: Stage, caller: Caller): Promise<Account> {
  const credentials = { email: `${randomBytes(8).toString('hex')}@example.com`, password: randomBytes(12).toString('hex') };
  try {
    await caller.persist('Register', () => stage.clients.auth.register({ ...credentials, displayName: 'Drill' }, { timeoutMs: attemptMs }), ['already_exists']);
  } catch (error) {
    if ((error as CallError).reason !== 'EMAIL_TAKEN') throw error;
  }
  return signIn(stage, caller, credentials);
}

export async function signIn(stage: Stage, caller: Caller, credentials: { email: string; password: string }): Promise<Account> {
  const { account, tokens } = await caller.persist('Login', () => stage.clients.auth.login(credentials, { timeoutMs: attemptMs }));
  return {
    ...credentials,
    userId: account?.id ?? '',
    token: tokens?.accessToken ?? '',
    refreshToken: tokens?.refreshToken ?? '',
    tokenSince: Date.now(),
  };
}

/** Repeating a refresh whose answer got lost gives the same successor for a short while; after that one signs in again. */
export async function refresh(stage: Stage, caller: Caller, account: Account): Promise<void> {
  const { refreshToken } = account;
  try {
    const { tokens } = await caller.persist('RefreshSession', () => stage.clients.auth.refreshSession({ refreshToken }, { timeoutMs: attemptMs }), ['unauthenticated']);
    Object.assign(account, { token: tokens?.accessToken ?? '', refreshToken: tokens?.refreshToken ?? '', tokenSince: Date.now() });
  } catch (error) {
    if ((error as CallError).kind !== 'unauthenticated') throw error;
    Object.assign(account, await signIn(stage, caller, account));
  }
}
