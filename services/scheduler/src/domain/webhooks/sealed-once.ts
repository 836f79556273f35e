import type { Once, SecretCipher } from '#libs/db';

/** Records an answer that holds a secret sealed, since records of requests are kept for a day. */
export function sealedOnce<T>(cipher: SecretCipher, plain: Once<T>): Once<T> {
  const label = `${plain.userId} ${plain.method} ${plain.idempotencyKey}`;
  return {
    ...plain,
    encode: (result) => cipher.seal(Buffer.from(plain.encode(result)), label),
    decode: (bytes) => plain.decode(cipher.open(bytes, label)),
  };
}
