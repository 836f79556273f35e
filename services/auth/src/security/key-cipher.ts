import { createSecretCipher, type SecretCipher } from '#libs/db';

/** Seals private keys, each under its kid. */
export type KeyCipher = SecretCipher;

export function createKeyCipher(encryptionKeys: readonly Buffer[]): KeyCipher {
  return createSecretCipher(encryptionKeys, 'taskflow/auth/signing-key-encryption');
}
