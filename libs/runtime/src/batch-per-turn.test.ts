import { describe, expect, it } from '@jest/globals';
import { batchPerTurn } from './index.ts';

describe('batchPerTurn', () => {
  it('answers the questions of one turn together, and each by itself', async () => {
    const asked: number[][] = [];
    const double = batchPerTurn(async (numbers: readonly number[]) => {
      asked.push([...numbers]);
      return numbers.map((number) => 2 * number);
    });
    expect(await Promise.all([double(1), double(2), Promise.resolve().then(() => double(3))])).toEqual([2, 4, 6]);
    expect(await double(4)).toBe(8);
    expect(asked).toEqual([[1, 2, 3], [4]]);
  });

  it('fails the questions of one turn together, and no others', async () => {
    const fail = batchPerTurn(async (names: readonly string[]) => {
      if (names.includes('bad')) throw new Error('no answer');
      return names;
    });
    expect(await Promise.allSettled([fail('good'), fail('bad')])).toMatchObject([
      { reason: new Error('no answer') },
      { reason: new Error('no answer') },
    ]);
    expect(await fail('good')).toBe('good');
  });
});
