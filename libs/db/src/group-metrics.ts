import type { Metrics } from '#libs/runtime';

const sizes = [1, 2, 4, 8, 16, 32, 64];

/** Measures groups: how many works each has, and how long each work waited for its start. */
export function observeGroups(metrics: Metrics | undefined): ((waitsMs: readonly number[]) => void) | undefined {
  if (metrics === undefined) return undefined;
  const size = metrics.histogram('db_group_size', 'Units of work that shared a transaction.', [], sizes);
  const wait = metrics.histogram('db_group_wait_seconds', 'Time that a unit of work waited for its transaction.');
  return (waitsMs) => {
    size.observe(waitsMs.length);
    for (const waitMs of waitsMs) wait.observe(waitMs / 1000);
  };
}
