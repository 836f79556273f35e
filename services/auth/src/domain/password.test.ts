import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isCommon, isLongEnough, isShortEnough, preparePassword, wasShortEnough } from './password.ts';

const text = fc.string({ unit: 'grapheme' });

describe('a password as it is hashed', () => {
  it('is the same in every Unicode form, and preparing it again changes nothing', () => {
    fc.assert(
      fc.property(text, (password) => {
        const prepared = preparePassword(password);
        expect([
          preparePassword(password.normalize('NFD')),
          preparePassword(password.normalize('NFC')),
          preparePassword(prepared),
        ]).toEqual([prepared, prepared, prepared]);
      }),
    );
  });

  it('keeps letter case, width and every space', () => {
    expect(preparePassword(' A\u00a0b\u3000\uff23\u2003 ')).toBe(' A b \uff23  ');
  });

  it('is what the rules count', () => {
    expect([isLongEnough('e\u0301'.repeat(7)), isLongEnough('e\u0301'.repeat(8))]).toEqual([false, true]);
    expect([isShortEnough('e\u0301'.repeat(512)), isShortEnough('e\u0301'.repeat(513))]).toEqual([true, false]);
    expect(isCommon('pass\uff57ord'.normalize('NFKC').toUpperCase())).toBe(true);
  });

  it('may be longer than allowed when it was set before passwords were normalised', () => {
    // Excluded from composition: NFC takes six bytes for its three.
    const old = '\u0958'.repeat(341);
    expect([isShortEnough(old), wasShortEnough(old)]).toEqual([false, true]);
  });
});
