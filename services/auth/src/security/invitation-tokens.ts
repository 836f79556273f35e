import { createHash, createHmac } from 'node:crypto';
import { deriveKey } from '#libs/db';
import type { InvitationTokens } from '../deps.ts';

// Lets people and secret scanners recognise a leaked token.
const prefix = 'tfi_';

/**
 * A token of 256 bits is derived from the invitation's id under a secret key: a repeated request gives the same one
 * although only hashes are stored, and nobody can derive it without the key.
 */
export function createInvitationTokens(encryptionKeys: readonly Buffer[]): InvitationTokens {
  const keys = encryptionKeys.map((key) => deriveKey(key, 'taskflow/auth/invitation-tokens'));
  const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
  const tokensOf = (id: string): string[] =>
    keys.map((key) => prefix + createHmac('sha256', key).update(id).digest('base64url'));
  return {
    create: (id) => tokensOf(id)[0] as string,
    recover: (id, hash) => tokensOf(id).find((token) => hashOf(token) === hash),
    hashOf,
  };
}
