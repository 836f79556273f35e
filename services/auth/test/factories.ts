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
