import { hkdfSync } from 'node:crypto';
import { createSealing } from './sealing.ts';

/** Seals secrets for the database. A secret that was sealed under one label does not open under another. */
export interface SecretCipher {
  /** Seals under the newest key. */
  seal(plain: Buffer, label: string): Buffer;
  /** Throws when the bytes were changed, or were sealed under another label or under none of the keys. */
  open(sealed: Uint8Array, label: string): Buffer;
  /** The prefix of everything that was sealed under the newest key. */
  readonly newestPrefix: Buffer;
}

/**
 * AES-256-GCM. The keys are derived from `encryptionKeys` (32 bytes each, the newest first) and `purpose`, for instance
 * "taskflow/auth/signing-key-encryption", so that two uses of one key never share a derived one.
 */
export function createSecretCipher(encryptionKeys: readonly Buffer[], purpose: string): SecretCipher {
  const { seal, open, newestPrefix } = createSealing(encryptionKeys.map((key) => deriveKey(key, purpose)));
  return {
    newestPrefix,
    seal: (plain, label) => seal(plain, Buffer.from(label)),
    open: (sealed, label) => open(sealed, Buffer.from(label)),
  };
}

/** Derives a key of 32 bytes for a purpose. */
export function deriveKey(encryptionKey: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', encryptionKey, Buffer.alloc(0), purpose, 32));
}
