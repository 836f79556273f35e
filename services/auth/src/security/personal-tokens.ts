import { createHash, createHmac, randomBytes } from 'node:crypto';
import { deriveKey } from '#libs/db';
import { formatPersonalToken } from '#libs/identity';
import type { PersonalTokens } from '../deps.ts';

const seedBytes = 32;

/**
 * A token is derived from a random seed under a secret key, so that the answer to a repeated request can be made again
 * from its seed. The seed is kept in the recorded answer only, which is deleted after a day: from then on nobody can
 * make the token again, even with the key.
 */
export function createPersonalTokens(encryptionKeys: readonly Buffer[]): PersonalTokens {
  const keys = encryptionKeys.map((key) => deriveKey(key, 'taskflow/auth/personal-tokens'));
  const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
  const tokensOf = (seed: string): string[] =>
    keys.map((key) => formatPersonalToken(createHmac('sha256', key).update(seed).digest()));
  return {
    create: () => {
      const seed = randomBytes(seedBytes).toString('base64url');
      const token = tokensOf(seed)[0] as string;
      return { token, tokenHash: hashOf(token), seed };
    },
    recover: (seed, tokenHash) => tokensOf(seed).find((token) => hashOf(token) === tokenHash),
  };
}
