import { createHmac } from 'node:crypto';
import { deriveKey } from '#libs/db';
import type { RequestFingerprints } from '../deps.ts';

/** Keyed, since a plain digest of a request with a password would be a password hash that is cheap to guess. */
export function createRequestFingerprints(encryptionKeys: readonly Buffer[]): RequestFingerprints {
  const keys = encryptionKeys.map((key) => deriveKey(key, 'taskflow/auth/request-fingerprints'));
  return (content) => keys.map((key) => createHmac('sha256', key).update(content).digest());
}
