import { describe, expect, it } from '@jest/globals';
import { findRegressions } from './baseline.ts';
import { divide } from './generators.ts';
import { countText, isWanted, readBenchOptions, toCount } from './options.ts';

describe('the options of a bench', () => {
  it('reads counts as people write them, and writes them so', () => {
    expect(['500', '10k', '1M'].map(toCount)).toEqual([500, 10_000, 1_000_000]);
    expect([500, 10_000, 1_000_000].map(countText)).toEqual(['500', '10k', '1M']);
    for (const text of ['', '0', '-1', '1.5k', 'many']) expect(() => toCount(text)).toThrow('is not a count');
  });

  it('sorts sizes, and takes files from where npm was called', () => {
    const { sizes, only, baselineFile, suite } = readBenchOptions(
      ['sweep', '--sizes', '1M,10k', '--only', 'a, b', '--baseline', 'before.json'],
      '/somewhere',
    );

    expect({ sizes, only, baselineFile, suite }).toEqual({
      sizes: [10_000, 1_000_000],
      only: ['a', 'b'],
      baselineFile: '/somewhere/before.json',
      suite: 'sweep',
    });
  });
});

describe('--only', () => {
  it('takes scenarios whose names contain one of its words, in any case, and all without it', () => {
    expect(
      ['GetTask', 'GetTaskStats', 'CreateTask'].map((name) => isWanted({ only: ['stats', 'create'] }, name)),
    ).toEqual([false, true, true]);
    expect(isWanted({ only: [] }, 'GetTask')).toBe(true);
  });
});

describe('a load for several generators', () => {
  const load = {
    addresses: [],
    path: '',
    requests: [1, 2, 3].map((byte) => ({ message: Uint8Array.of(byte), headers: {} })),
    inFlight: 5,
    durationMs: 1,
  };

  it('is divided so that all calls in flight are there, and single requests are sent once', () => {
    const parts = divide({ ...load, once: true }, 2);

    expect(parts.map(({ inFlight }) => inFlight)).toEqual([3, 2]);
    expect(parts.flatMap(({ requests }) => requests.map(({ message }) => message[0])).sort()).toEqual([1, 2, 3]);
  });

  it('goes to no more generators than there are calls in flight', () => {
    expect(divide({ ...load, inFlight: 1 }, 4)).toHaveLength(1);
  });
});

describe('a baseline', () => {
  const ratio = (value: number) => ({
    name: 'GetTask / E',
    dataset: '10k',
    inFlight: 1,
    value,
    low: value,
    high: value,
  });

  it('is missed beyond 20 %, by ratios that both runs have', () => {
    expect(findRegressions([ratio(1.19)], [ratio(1)])).toEqual([]);
    expect(findRegressions([ratio(1.25)], [ratio(1)])).toEqual([
      'GetTask / E, 10k tasks, 1 in flight: 1.25 instead of 1.00',
    ]);
    expect(findRegressions([{ ...ratio(9), dataset: '1M' }], [ratio(1)])).toEqual([]);
  });
});
