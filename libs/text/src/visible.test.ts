import { describe, expect, it } from '@jest/globals';
import { isVisible } from './index.ts';

describe('isVisible', () => {
  it.each([
    ...['', ' ', '\u00a0', '\u3000', '\u2028', '\u200b', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u034f'],
    ...['\u202e', '\u2066\u2069', '\u061c', '\u115f', '\u1160', '\u3164', '\uffa0', '\ufe0f', '\u{e0100}', '\u{e0041}'],
    ...['\u17b4', '\u180e', '\u2800', ' \u200b\u3164 '],
  ])('is false of a text of which nothing shows: %j', (text) => {
    expect(isVisible(text)).toBe(false);
  });

  it.each([
    'a',
    '.',
    '\u200ba',
    'क\u094d\u200dष',
    '👩\u200d👩\u200d👧',
    '❤\ufe0f',
    '\u0301',
    '한',
    '\u202eabc',
    '\u200bx',
  ])('is true of %j', (text) => {
    expect(isVisible(text)).toBe(true);
  });
});
