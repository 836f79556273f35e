import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Account, RegisterRequest, RegisterResponse, TokenPair } from '#contract/auth/v1/auth';
import { CallError, retry } from '#dev/stubs';
import type { TestAuth } from './start-auth.ts';

export function registration(changes: Partial<RegisterRequest> = {}): RegisterRequest {
  return {
    email: `ada-${randomBytes(6).toString('hex')}@example.com`,
    password: 'correct horse battery',
    displayName: 'Ada',
    invitationToken: '',
    ...changes,
  };
}

export interface SignedIn {
  request: RegisterRequest;
  account: Account;
  tokens: TokenPair;
}

export async function registerAccount(
  service: Pick<TestAuth, 'auth'>,
  changes: Partial<RegisterRequest> = {},
): Promise<SignedIn> {
  const request = registration(changes);
  return toSignedIn(request, await service.auth.register(request));
}

function toSignedIn(request: RegisterRequest, { account, tokens }: RegisterResponse): SignedIn {
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
  return toSignedIn(request, await service.auth.login(request));
}

/** Exchanges the refresh token of an answer. */
export const refresh = ({ auth }: Pick<TestAuth, 'auth'>, { tokens }: { tokens?: TokenPair | undefined }) =>
  auth.refreshSession({ refreshToken: tokens?.refreshToken ?? '' });

export const tokenInvalid = { kind: 'unauthenticated', reason: 'TOKEN_INVALID' };

/**
 * The reasons for which a registration may lose the race for its e-mail. A busy machine may refuse as overloaded or run
 * out of time instead.
 */
export const lostRace = ['EMAIL_TAKEN', 'OVERLOADED', 'WRITE_CONFLICT', 'DEADLINE_EXCEEDED'];

/** Fifty registrations at the same time, and one after them: on a very slow machine all fifty may run out of time. */
export async function raceToRegister(
  register: (index: number) => Promise<unknown>,
): Promise<{ registered: number; reasons: (string | undefined)[] }> {
  const attempts = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => register(index)));
  const [last] = await Promise.allSettled([retry(() => register(50))]);
  const results = [...attempts, last];
  const reasons = results.flatMap((result) =>
    result.status === 'rejected' ? [(result.reason as CallError).reason] : [],
  );
  return { registered: results.length - reasons.length, reasons };
}

const maxWaitMs = 45_000;

/** Repeats a call until it is refused, and gives the refusal. */
export async function untilRefused(call: () => Promise<unknown>): Promise<{ error: unknown }> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < maxWaitMs) {
    try {
      await call();
    } catch (error) {
      // Running out of time does not count as a refusal.
      if (!(error instanceof CallError && error.kind === 'deadline_exceeded')) return { error };
    }
    await pause(50);
  }
  throw new Error(`still not refused after ${maxWaitMs} ms`);
}
