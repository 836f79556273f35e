import { createSecretCipher, type SecretCipher } from '#libs/db';

/** Seals private keys, each under its kid. */
export type KeyCipher = SecretCipher;

export function createKeyCipher(encryptionKey: Buffer): KeyCipher {
  return createSecretCipher(encryptionKey, 'taskflow/auth/signing-key-encryption');
}
