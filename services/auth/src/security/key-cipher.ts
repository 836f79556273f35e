import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deriveKey } from './derived-keys.ts';

/** Seals private keys for the database. What was sealed for one kid does not open under another. */
export interface KeyCipher {
  seal(plain: Buffer, kid: string): Buffer;
  /** Throws when the bytes were changed, or sealed for another kid or under another key. */
  open(sealed: Uint8Array, kid: string): Buffer;
}

const format = 1;
const ivBytes = 12;
const tagBytes = 16;

/** AES-256-GCM; layout: one byte for the format, the IV, the tag, the ciphertext. */
export function createKeyCipher(encryptionKey: Buffer): KeyCipher {
  const key = deriveKey(encryptionKey, 'signing-key-encryption');
  return {
    seal: (plain, kid) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(kid));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(format), iv, cipher.getAuthTag(), body]);
    },
    open: (sealed, kid) => {
      if (sealed[0] !== format) throw new Error(`signing key ${kid} is stored in an unknown format`);
      const iv = sealed.subarray(1, 1 + ivBytes);
      const tag = sealed.subarray(1 + ivBytes, 1 + ivBytes + tagBytes);
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(kid)).setAuthTag(tag);
      return Buffer.concat([decipher.update(sealed.subarray(1 + ivBytes + tagBytes)), decipher.final()]);
    },
  };
}
