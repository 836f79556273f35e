import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** Seals bytes under the newest of several keys and opens what any of them sealed, so that keys can be replaced. */
export interface Sealing {
  /** The result opens only with the same `context`. */
  seal(plain: Buffer, context: Buffer): Buffer;
  /** Throws when the bytes were changed, or were sealed for another context or under none of the keys. */
  open(sealed: Uint8Array, context: Buffer): Buffer;
  /** The prefix of everything that was sealed under the newest key. */
  readonly newestPrefix: Buffer;
}

/** The format from before there were several keys; it names none. */
const formatWithoutKey = 1;
const format = 2;
const keyIdBytes = 4;
const ivBytes = 12;
const tagBytes = 16;

/** AES-256-GCM under `keys` (32 bytes each, the newest first). Layout: format, key id, IV, tag, ciphertext. */
export function createSealing(keys: readonly Buffer[]): Sealing {
  const [newest] = keys;
  if (newest === undefined) throw new Error('there is no key to seal with');
  const keysById = new Map(keys.map((key) => [idOf(key).toString('hex'), key]));
  const newestPrefix = Buffer.concat([Buffer.of(format), idOf(newest)]);

  /** The keys that may have sealed it, and the offset of its IV. */
  function candidatesFor(sealed: Uint8Array): { candidates: readonly Buffer[]; start: number } {
    if (sealed[0] === formatWithoutKey) return { candidates: keys, start: 1 };
    const id = Buffer.from(sealed.subarray(1, 1 + keyIdBytes)).toString('hex');
    const key = sealed[0] === format ? keysById.get(id) : undefined;
    return { candidates: key === undefined ? [] : [key], start: 1 + keyIdBytes };
  }

  return {
    newestPrefix,
    seal: (plain, context) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', newest, iv, { authTagLength: tagBytes }).setAAD(context);
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([newestPrefix, iv, cipher.getAuthTag(), body]);
    },
    open: (sealed, context) => {
      const { candidates, start } = candidatesFor(sealed);
      for (const key of candidates) {
        const plain = openWith(key, sealed.subarray(start), context);
        if (plain !== undefined) return plain;
      }
      throw new Error('sealed under none of the configured keys, for another context, or damaged');
    },
  };
}

/** Identifies a key without revealing it. */
function idOf(key: Buffer): Buffer {
  return createHash('sha256').update('taskflow key id').update(key).digest().subarray(0, keyIdBytes);
}

function openWith(key: Buffer, bytes: Uint8Array, context: Buffer): Buffer | undefined {
  const bodyStart = ivBytes + tagBytes;
  if (bytes.length < bodyStart) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
    .setAAD(context)
    .setAuthTag(bytes.subarray(ivBytes, bodyStart));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(bodyStart)), decipher.final()]);
  } catch {
    return undefined;
  }
}
