import { describe, expect, it } from '@jest/globals';
import { toLocale, toTimeZone } from './settings.ts';

describe('toTimeZone', () => {
  it.each([['Europe/Berlin', 'Europe/Berlin'], ['europe/berlin', 'Europe/Berlin'], ['UTC', 'UTC'], ['America/Argentina/Ushuaia', 'America/Argentina/Ushuaia']])(
    'takes %s as %s',
    (text, zone) => {
      expect(toTimeZone(text)).toBe(zone);
    },
  );

  it.each(['', 'Mars/Olympus', '+01:00', 'Europe/Berlin ', 'UTC+1', '../etc/passwd'])('refuses %j', (text) => {
    expect(toTimeZone(text)).toBeUndefined();
  });
});

describe('toLocale', () => {
  it.each([['en', 'en'], ['DE-at', 'de-AT'], ['zh-hant-tw', 'zh-Hant-TW'], ['sr-Latn-RS', 'sr-Latn-RS']])('takes %s as %s', (text, locale) => {
    expect(toLocale(text)).toBe(locale);
  });

  it.each(['', 'e', 'en_US', 'english language', '-'])('refuses %j', (text) => {
    expect(toLocale(text)).toBeUndefined();
  });
});
