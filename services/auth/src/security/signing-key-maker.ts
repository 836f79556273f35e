import { createPrivateKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import type { NewSigningKey, SigningKey } from '../domain/signing-key.entity.ts';
import type { KeyCipher } from './key-cipher.ts';

/** Makes a key pair whose private half is sealed for the database. */
export function generateSigningKey(cipher: KeyCipher): NewSigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const kid = randomBytes(12).toString('base64url');
  const { x } = publicKey.export({ format: 'jwk' });
  const sealedPrivateKey = cipher.seal(privateKey.export({ format: 'der', type: 'pkcs8' }), kid);
  return { kid, publicJwk: { kty: 'OKP', crv: 'Ed25519', x: x ?? '' }, sealedPrivateKey };
}

/** Throws when it was sealed under another key than the configured one. */
export function openPrivateKey(cipher: KeyCipher, { kid, sealedPrivateKey }: SigningKey): KeyObject {
  try {
    return createPrivateKey({ key: cipher.open(sealedPrivateKey, kid), format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw new Error(`signing key ${kid} cannot be opened: it was stored under another TASKFLOW_AUTH_ENCRYPTION_KEY`, {
      cause,
    });
  }
}
