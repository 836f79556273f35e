import { describe, expect, it } from '@jest/globals';
import { findSigningKey, SigningKey } from './signing-key.entity.ts';

const at = (seconds: number): Date => new Date(1_800_000_000_000 + seconds * 1000);
const key = (kid: string, signTime: Date, retireTime: Date | null = null): SigningKey =>
  Object.assign(new SigningKey(), { kid, signTime, retireTime });

describe('signing keys', () => {
  const first = key('first', at(0), at(700));
  const second = key('second', at(90));

  it('sign from their time on, until the next one does', () => {
    expect([-1, 0, 89, 90, 1000].map((seconds) => findSigningKey([second, first], at(seconds))?.kid)).toEqual([
      undefined,
      'first',
      'first',
      'second',
      'second',
    ]);
  });

  it('are published before they sign, and until no token that they signed can be good', () => {
    expect([0, 89].map((seconds) => second.isPublished(at(seconds)))).toEqual([true, true]);
    expect([90, 699, 700].map((seconds) => first.isPublished(at(seconds)))).toEqual([true, true, false]);
  });

  it('are chosen alike by all replicas when their times are equal', () => {
    const twins = [key('a', at(0)), key('b', at(0))];
    expect(findSigningKey(twins, at(1))?.kid).toBe('b');
    expect(findSigningKey(twins.reverse(), at(1))?.kid).toBe('b');
  });
});
