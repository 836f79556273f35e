import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeCanonical } from './canonical-base64.ts';

const encodings = ['base64', 'base64url'] as const;

describe('canonical base64', () => {
  it.each(encodings)('%s gives the bytes back', (encoding) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(decodeCanonical(Buffer.from(bytes).toString(encoding), encoding)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each(encodings)('%s has one spelling for each sequence of bytes', (encoding) => {
    const character = fc.constantFrom(...'AQgwBCZaz019+/-_= \n\t.é\0');
    fc.assert(
      fc.property(fc.array(character, { maxLength: 10 }), (characters) => {
        const text = characters.join('');
        const bytes = decodeCanonical(text, encoding);
        if (bytes !== undefined) expect(bytes.toString(encoding)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['unused bits', '-_-_QR', 'base64url'],
    ['padding', '-_-_QQ==', 'base64url'],
    ['the other alphabet', '+/+/QQ', 'base64url'],
    ['a line break', '-_-_\nQQ', 'base64url'],
    ['a single character', 'A', 'base64url'],
    ['unused bits', '+/+/QR==', 'base64'],
    ['no padding', '+/+/QQ', 'base64'],
    ['too much padding', '+/+/QQ===', 'base64'],
    ['the other alphabet', '-_-_QQ==', 'base64'],
    ['a space', '+/+/ QQ==', 'base64'],
  ] as const)('refuses %s: %j as %s', (_fault, text, encoding) => {
    expect(decodeCanonical(text, encoding)).toBeUndefined();
  });
});
