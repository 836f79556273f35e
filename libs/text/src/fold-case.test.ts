import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { foldCase } from './fold-case.ts';

const text = fc.string({ unit: 'binary' });

describe('foldCase', () => {
  it.each([
    ['STRASSE', 'straße', 'STRAẞE'],
    ['ΟΔΟΣ', 'οδος', 'οδοσ'],
    ['RENÉE', 'rene\u0301e'],
    ['\u212a', 'K', 'k'],
    ['ſ', 's'],
    ['\u0130', 'i\u0307'],
    ['ﬁ', 'FI'],
  ])('takes %s and its like for one', (...spellings) => {
    expect(new Set(spellings.map(foldCase)).size).toBe(1);
  });

  it.each([
    ['ı', 'i'],
    ['ı', 'I'],
    ['é', 'e'],
    ['\uff41', 'a'],
    ['ø', 'o'],
    ['\u0130', 'i'],
  ])('tells %s and %s apart', (one, other) => {
    expect(foldCase(one)).not.toBe(foldCase(other));
  });

  it('is the same when it is applied again, and in every Unicode form and letter case', () => {
    fc.assert(
      fc.property(text, (value) => {
        const folded = foldCase(value);
        expect([foldCase(folded), foldCase(value.normalize('NFD')), foldCase(value.normalize('NFC'))]).toEqual([
          folded,
          folded,
          folded,
        ]);
      }),
    );
  });

  it('agrees with the simple folding of regular expressions on every letter', () => {
    const differences: string[] = [];
    // Letters that have cases are in the first two planes.
    for (let code = 0; code <= 0x1ffff; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCodePoint(code);
      // Whatever decomposes into something else than itself is no single letter for a regular expression.
      if (character.normalize('NFC') !== character) continue;
      for (const other of [character.toLowerCase(), character.toUpperCase(), foldCase(character)]) {
        if ([...other].length !== 1 || other === character || other.normalize('NFC') !== other) continue;
        const isSame = new RegExp(`^\\u{${code.toString(16)}}$`, 'iu').test(other);
        if (isSame !== (foldCase(character) === foldCase(other))) differences.push(`${character} ${other}`);
      }
    }
    // Full folding joins what simple folding tells apart: the capital of ß.
    expect(differences).toEqual([]);
  });
});
