import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Seals secrets for the database. What was sealed under one label does not open under another. */
export interface SecretCipher {
  seal(plain: Buffer, label: string): Buffer;
  /** Throws when the bytes were changed, or sealed under another label or another key. */
  open(sealed: Uint8Array, label: string): Buffer;
}

const format = 1;
const ivBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM; layout: one byte for the format, the IV, the tag, the ciphertext. The key is derived from `encryptionKey` (32
 * bytes) and `purpose`, for instance "taskflow/auth/signing-key-encryption", so that no two uses of one key can meet.
 */
export function createSecretCipher(encryptionKey: Buffer, purpose: string): SecretCipher {
  const key = Buffer.from(hkdfSync('sha256', encryptionKey, Buffer.alloc(0), purpose, 32));
  return {
    seal: (plain, label) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(label));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(format), iv, cipher.getAuthTag(), body]);
    },
    open: (sealed, label) => {
      if (sealed[0] !== format) throw new Error(`the secret ${label} is stored in an unknown format`);
      const iv = sealed.subarray(1, 1 + ivBytes);
      const tag = sealed.subarray(1 + ivBytes, 1 + ivBytes + tagBytes);
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(label)).setAuthTag(tag);
      return Buffer.concat([decipher.update(sealed.subarray(1 + ivBytes + tagBytes)), decipher.final()]);
    },
  };
}
