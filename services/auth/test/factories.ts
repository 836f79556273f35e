import { randomBytes } from 'node:crypto';
import type { Account, RegisterRequest, TokenPair } from '#contract/auth/v1/auth';
import { CallError, patiently } from '#libs/grpc';
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

/** What a registration is told that came too late for its e-mail; a busy machine may say instead that it is busy, or run out of time. */
export const lostRace = ['EMAIL_TAKEN', 'OVERLOADED', 'WRITE_CONFLICT', 'DEADLINE_EXCEEDED'];

/** Fifty registrations at the same time, and one after them: on a very slow machine all the fifty may be too late. */
export async function raceToRegister(register: (index: number) => Promise<unknown>): Promise<{ registered: number; reasons: (string | undefined)[] }> {
  const crowd = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => register(index)));
  const [last] = await Promise.allSettled([patiently(() => register(50))]);
  const results = [...crowd, last];
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [(result.reason as CallError).reason] : []));
  return { registered: results.length - reasons.length, reasons };
}

const patienceMs = 45_000;

/** Repeats a call until it is refused, and gives the refusal. */
export async function untilRefused(call: () => Promise<unknown>): Promise<{ error: unknown }> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < patienceMs) {
    try {
      await call();
    } catch (error) {
      // Out of time is no refusal.
      if (!(error instanceof CallError && error.kind === 'deadline_exceeded')) return { error };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still not refused after ${patienceMs} ms`);
}
