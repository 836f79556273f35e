/** Buckets grow by two percent each, so a percentile is at most two percent off; from one microsecond to beyond an hour. */
const growth = 1.02;
const logGrowth = Math.log(growth);
const bucketCount = 1 + Math.ceil(Math.log(3600e6) / logGrowth);

/** Counts of latencies; plain numbers, so that it can be sent between processes and added up. */
export interface Histogram {
  readonly counts: number[];
}

export function createHistogram(): Histogram {
  return { counts: new Array<number>(bucketCount).fill(0) };
}

export function record({ counts }: Histogram, ms: number): void {
  const bucket = Math.max(0, Math.min(bucketCount - 1, Math.ceil(Math.log(ms * 1000) / logGrowth)));
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}

export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const merged = createHistogram();
  for (const { counts } of histograms)
    counts.forEach((count, bucket) => (merged.counts[bucket] = (merged.counts[bucket] ?? 0) + count));
  return merged;
}

/** In milliseconds, the upper end of the bucket; 0 when nothing was recorded. `share` is between 0 and 1. */
export function percentile({ counts }: Histogram, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  let seen = 0;
  const bucket = counts.findIndex((count) => (seen += count) >= share * total);
  return growth ** bucket / 1000;
}
