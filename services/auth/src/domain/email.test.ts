import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { looksLikeEmail, normaliseEmail } from './email.ts';

describe('normaliseEmail', () => {
  it.each([
    ['letter case', 'Ada.Lovelace@Example.COM', 'ada.lovelace@example.com'],
    ['surrounding white space', '  ada@example.com\t', 'ada@example.com'],
    ['composed and decomposed letters', 'rene\u0301@example.com', 'ren\u00e9@example.com'],
  ])('makes %s one spelling', (_, email, stored) => {
    expect(normaliseEmail(email)).toBe(stored);
  });

  it('changes nothing the second time', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => normaliseEmail(normaliseEmail(text)) === normaliseEmail(text)));
  });
});

describe('looksLikeEmail', () => {
  it.each(['a@example.com', 'o\'hara+tag@mail.example.co', 'ren\u00e9@m\u00fcller.example', '\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a'])('accepts %s', (email) => {
    expect(looksLikeEmail(email)).toBe(true);
  });

  it.each(['', 'a', 'a@', '@example.com', 'a@b', 'a@@example.com', 'a b@example.com', 'a@example..com', 'a@-example.com', 'a@example.com.', `${'a'.repeat(65)}@example.com`, 'a@exa\u0000mple.com'])(
    'refuses %j',
    (email) => {
      expect(looksLikeEmail(email)).toBe(false);
    },
  );

  it('decides in linear time', () => {
    expect(looksLikeEmail(`a@${'a-'.repeat(100_000)}`)).toBe(false);
  });
});
