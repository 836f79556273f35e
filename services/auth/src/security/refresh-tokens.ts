import { createHash, createHmac, randomBytes } from 'node:crypto';
import { deriveKey } from '#libs/db';
import type { RefreshTokens } from '../deps.ts';

// Lets people and secret scanners recognise a leaked token.
const prefix = 'tfr_';

/**
 * Tokens of 256 random bits. A successor is derived from its token under a secret key: repeating an exchange gives the
 * same successor although only hashes are stored, and nobody can derive it without the key.
 * A repetition may reach a replica whose newest key differs; then one of its older keys gives the same successor.
 */
export function createRefreshTokens(encryptionKeys: readonly Buffer[]): RefreshTokens {
  const keys = encryptionKeys.map((key) => deriveKey(key, 'taskflow/auth/refresh-token-succession'));
  return {
    create: () => prefix + randomBytes(32).toString('base64url'),
    successorsOf: (token, attempt) => {
      // A token has no line breaks, so that no two pairs make one text.
      const text = attempt === 1 ? token : `${token}\n${attempt}`;
      return keys.map((key) => prefix + createHmac('sha256', key).update(text).digest('base64url')) as [
        string,
        ...string[],
      ];
    },
    hashOf: (token) => createHash('sha256').update(token).digest('base64url'),
  };
}
