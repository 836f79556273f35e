import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { looksLikeEmail, normaliseEmail } from './email.ts';

describe('normaliseEmail', () => {
  it.each([
    ['letter case', 'Ada.Lovelace@Example.COM', 'ada.lovelace@example.com'],
    ['surrounding white space', '  ada@example.com\t', 'ada@example.com'],
    [
      'the full stops of other scripts',
      '\u7528\u6237@\u4f8b\u5b50\u3002\u5e7f\u544a',
      '\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a',
    ],
    ['composed and decomposed letters', 'rene\u0301@example.com', 'ren\u00e9@example.com'],
  ])('makes %s one spelling', (_, email, stored) => {
    expect(normaliseEmail(email)).toBe(stored);
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        (text) => normaliseEmail(normaliseEmail(text)) === normaliseEmail(text),
      ),
    );
  });
});

describe('looksLikeEmail', () => {
  it.each([
    'a@example.com',
    "o'hara+tag@mail.example.co",
    'ren\u00e9@m\u00fcller.example',
    '\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a',
    'a@xn--mnchen-3ya.example',
    `a@${'b'.repeat(63)}.example`,
    `${'a'.repeat(64)}@example.com`,
    'a@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com',
  ])('accepts %s', (email) => {
    expect(looksLikeEmail(email)).toBe(true);
  });

  it.each([
    '',
    'a',
    'a@',
    '@example.com',
    'a@b',
    'a@@example.com',
    'a b@example.com',
    'a<b@example.com',
    'a>b@example.com',
    'a@example..com',
    'a@-example.com',
    'a@example.com.',
    `${'a'.repeat(65)}@example.com`,
    'a@exa\u0000mple.com',
    `a@${'b'.repeat(64)}.example`,
    `a@${'\u00e9'.repeat(59)}.example`,
    `${'\u00e9'.repeat(33)}@example.com`,
    `a@${`${'b'.repeat(63)}.`.repeat(4)}de`,
    'a@xn--a\u200d.com',
    'a@\u00e9.123',
  ])('refuses %j', (email) => {
    expect(looksLikeEmail(email)).toBe(false);
  });

  it('decides in linear time', () => {
    expect(looksLikeEmail(`a@${'a-'.repeat(100_000)}`)).toBe(false);
  });
});
