import { describe, expect, it } from '@jest/globals';
import { toLocale } from './profile.inputs.ts';

describe('toLocale', () => {
  it.each([
    ['en', 'en'],
    ['DE-at', 'de-AT'],
    ['zh-hant-tw', 'zh-Hant-TW'],
    ['sr-Latn-RS', 'sr-Latn-RS'],
  ])('takes %s as %s', (text, locale) => {
    expect(toLocale(text)).toBe(locale);
  });

  it.each(['', 'e', 'en_US', 'english language', '-'])('refuses %j', (text) => {
    expect(toLocale(text)).toBeUndefined();
  });
});
