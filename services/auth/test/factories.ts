import { randomBytes } from 'node:crypto';
import type { Account, RegisterRequest, TokenPair } from '#contract/auth/v1/auth';
import type { TestAuth } from './start-auth.ts';

export function registration(changes: Partial<RegisterRequest> = {}): RegisterRequest {
  return { email: `ada-${randomBytes(6).toString('hex')}@example.com`, password: 'correct horse battery', displayName: 'Ada', ...changes };
}

export interface SignedIn {
  request: RegisterRequest;
  account: Account;
  tokens: TokenPair;
}

export async function registerAccount(service: TestAuth, changes: Partial<RegisterRequest> = {}): Promise<SignedIn> {
  const request = registration(changes);
  const { account, tokens } = await service.auth.register(request);
  if (account === undefined || tokens === undefined) throw new Error('the answer is incomplete');
  return { request, account, tokens };
}

/** What a call with an access token needs. */
export function as({ tokens }: { tokens?: TokenPair | undefined }): { token: string } {
  if (tokens === undefined) throw new Error('there are no tokens');
  return { token: tokens.accessToken };
}

/** An administrator who has just signed in. */
export async function registerAdmin(service: TestAuth): Promise<SignedIn> {
  const { request, account } = await registerAccount(service);
  await service.sql(`update accounts set role = 'admin' where id = $1`, [account.id]);
  const { account: admin, tokens } = await service.auth.login(request);
  if (admin === undefined || tokens === undefined) throw new Error('the answer is incomplete');
  return { request, account: admin, tokens };
}

export const tokenInvalid = { kind: 'unauthenticated', reason: 'TOKEN_INVALID' };

const patienceMs = 15_000;

/** Repeats a call until it is refused, and gives the refusal with the time that it took. */
export async function untilRefused(call: () => Promise<unknown>): Promise<{ error: unknown; tookMs: number }> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < patienceMs) {
    try {
      await call();
    } catch (error) {
      return { error, tookMs: performance.now() - startedAt };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still not refused after ${patienceMs} ms`);
}
