import { createPageTokens, deriveKey } from '#libs/db';
import type { Limits } from '#libs/limits';
import type { AuthConfig } from '../config.ts';
import type { AuthDeps, PasswordHasher } from '../deps.ts';
import { createOneTimeTokens } from './one-time-tokens.ts';
import { createPasswordGuard } from './password-guard.ts';
import { createPasswordHasher } from './password-hasher.ts';
import { createPersonalTokens } from './personal-tokens.ts';
import { createRefreshTokens } from './refresh-tokens.ts';
import { createRequestFingerprints } from './request-fingerprints.ts';

type Credentials = Pick<
  AuthDeps,
  | 'passwords'
  | 'passwordGuard'
  | 'refreshTokens'
  | 'oneTimeTokens'
  | 'personalTokens'
  | 'requestFingerprints'
  | 'pageTokens'
>;

/** How passwords are checked, and everything that is derived from the encryption keys. */
export async function createCredentials(
  { encryptionKeys, passwordAttempts }: Pick<AuthConfig, 'encryptionKeys' | 'passwordAttempts'>,
  limits: Limits,
  passwords?: PasswordHasher,
): Promise<Credentials> {
  return {
    passwords: passwords ?? (await createPasswordHasher()),
    passwordGuard: createPasswordGuard(await limits.attempts({ name: 'password', ...passwordAttempts })),
    refreshTokens: createRefreshTokens(encryptionKeys),
    oneTimeTokens: createOneTimeTokens(encryptionKeys),
    personalTokens: createPersonalTokens(encryptionKeys),
    requestFingerprints: createRequestFingerprints(encryptionKeys),
    pageTokens: createPageTokens(encryptionKeys.map((key) => deriveKey(key, 'taskflow/auth/page-tokens'))),
  };
}
