import { createHash, createHmac } from 'node:crypto';
import { deriveKey } from '#libs/db';
import type { OneTimeTokens, OneTimeTokenKind } from '../deps.ts';

// The prefixes let people and secret scanners recognise a leaked token; tfr_ are refresh tokens. An invitation has two
// tokens, so that the one in the mail shows that its recipient reads the mail of the address.
const kinds: Record<OneTimeTokenKind, { prefix: string; label: string }> = {
  invitation: { prefix: 'tfi_', label: 'taskflow/auth/invitation-tokens' },
  projectInvitation: { prefix: 'tfj_', label: 'taskflow/auth/project-invitation-tokens' },
  mailedInvitation: { prefix: 'tfi_', label: 'taskflow/auth/mailed-invitation-tokens' },
  passwordReset: { prefix: 'tfw_', label: 'taskflow/auth/password-reset-tokens' },
  emailVerification: { prefix: 'tfv_', label: 'taskflow/auth/email-verification-tokens' },
};

/**
 * A token of 256 bits is derived from its row's id under a secret key: a repeated request or a mail that is written
 * later gives the same one although only hashes are stored, and nobody can derive it without the key.
 */
export function createOneTimeTokens(encryptionKeys: readonly Buffer[]): OneTimeTokens {
  const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
  const keysOf = (kind: OneTimeTokenKind): Buffer[] => encryptionKeys.map((key) => deriveKey(key, kinds[kind].label));
  const keys: Record<OneTimeTokenKind, Buffer[]> = {
    invitation: keysOf('invitation'),
    projectInvitation: keysOf('projectInvitation'),
    mailedInvitation: keysOf('mailedInvitation'),
    passwordReset: keysOf('passwordReset'),
    emailVerification: keysOf('emailVerification'),
  };
  const tokensOf = (kind: OneTimeTokenKind, id: string): string[] =>
    keys[kind].map((key) => kinds[kind].prefix + createHmac('sha256', key).update(id).digest('base64url'));
  return {
    create: (kind, id) => tokensOf(kind, id)[0] as string,
    recover: (kind, id, hash) => tokensOf(kind, id).find((token) => hashOf(token) === hash),
    hashOf,
    isOf: (kind, token) => token.startsWith(kinds[kind].prefix),
  };
}
