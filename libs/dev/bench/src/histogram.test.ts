import { describe, expect, it } from '@jest/globals';
import { createHistogram, mergeHistograms, percentile, record } from './histogram.ts';

/** Within the two percent that a bucket is wide. */
function expectAbout(value: number, expected: number): void {
  expect(Math.abs(value / expected - 1)).toBeLessThan(0.021);
}

describe('a histogram', () => {
  it('gives percentiles that are at most two percent off', () => {
    const histogram = createHistogram();
    for (let ms = 1; ms <= 1000; ms += 1) record(histogram, ms);

    expectAbout(percentile(histogram, 0.5), 500);
    expectAbout(percentile(histogram, 0.95), 950);
    expectAbout(percentile(histogram, 0.99), 990);
  });

  it('is the same whether recorded in one or merged from several', () => {
    const [one, other, all] = [createHistogram(), createHistogram(), createHistogram()];
    for (let ms = 1; ms <= 300; ms += 1) {
      record(ms % 3 === 0 ? one : other, ms);
      record(all, ms);
    }

    expect(mergeHistograms([one, other])).toEqual(all);
  });

  it('keeps what is beyond its ends at its ends, and is 0 when empty', () => {
    const histogram = createHistogram();
    expect(percentile(histogram, 0.5)).toBe(0);

    record(histogram, 0.000_001);
    record(histogram, 1e12);
    expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
  });
});
