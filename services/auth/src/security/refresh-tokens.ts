import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { RefreshTokens } from '../deps.ts';
import { deriveKey } from './derived-keys.ts';

// Lets a person or a secret scanner see what a stray string is.
const prefix = 'tfr_';

/**
 * Tokens of 256 random bits. The successor of a token is derived from it under a secret key: repeating an exchange gives
 * the same successor, although only hashes are stored, and whoever lacks the key cannot tell it.
 */
export function createRefreshTokens(encryptionKey: Buffer): RefreshTokens {
  const key = deriveKey(encryptionKey, 'refresh-token-succession');
  return {
    create: () => prefix + randomBytes(32).toString('base64url'),
    successorOf: (token) => prefix + createHmac('sha256', key).update(token).digest('base64url'),
    hashOf: (token) => createHash('sha256').update(token).digest('base64url'),
  };
}
