import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createKeyCipher } from './key-cipher.ts';

const encryptionKey = randomBytes(32);
const cipher = createKeyCipher([encryptionKey]);
const plain = Buffer.from('a private key');

describe('key cipher', () => {
  it('opens what it sealed, also in another process with the same key', () => {
    expect(createKeyCipher([encryptionKey]).open(cipher.seal(plain, 'k1'), 'k1')).toEqual(plain);
  });

  it('seals the same bytes differently every time', () => {
    expect(cipher.seal(plain, 'k1')).not.toEqual(cipher.seal(plain, 'k1'));
  });

  it('refuses bytes that were sealed for another kid', () => {
    expect(() => cipher.open(cipher.seal(plain, 'k1'), 'k2')).toThrow();
  });

  it('refuses bytes that were sealed under another key', () => {
    expect(() => createKeyCipher([randomBytes(32)]).open(cipher.seal(plain, 'k1'), 'k1')).toThrow();
  });

  it('refuses bytes with any single bit flipped', () => {
    const sealed = cipher.seal(plain, 'k1');
    for (let index = 0; index < sealed.length; index += 1) {
      const flipped = Buffer.from(sealed);
      flipped[index] = (flipped[index] ?? 0) ^ 1;
      expect(() => cipher.open(flipped, 'k1')).toThrow();
    }
  });
});
