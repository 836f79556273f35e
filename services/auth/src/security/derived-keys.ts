import { hkdfSync } from 'node:crypto';

/** A key of its own for each purpose, so that no two uses of the configured key can meet. */
export function deriveKey(encryptionKey: Buffer, purpose: 'refresh-token-succession'): Buffer {
  return Buffer.from(hkdfSync('sha256', encryptionKey, Buffer.alloc(0), `taskflow/auth/${purpose}`, 32));
}
