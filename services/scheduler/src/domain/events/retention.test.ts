import { describe, expect, it } from '@jest/globals';
import { isForgotten, rowsKeptMs } from './retention.ts';

const now = new Date('2026-06-01T12:00:00Z');
const dayMs = 86_400_000;
const retention = { notificationsMs: 90 * dayMs };
const daysAgo = (days: number): Date => new Date(now.getTime() - days * dayMs);

describe('an event', () => {
  it.each([
    [0, false],
    [89, false],
    [90, false],
    [91, true],
    [1_000, true],
  ])('of %d days ago is forgotten: %s', (days, expected) => {
    expect(isForgotten(daysAgo(days), now, retention)).toBe(expected);
  });

  it('is forgotten before its notification is, also by a clock that is hours behind', () => {
    const pruned = new Date(now.getTime() - rowsKeptMs(retention.notificationsMs));
    expect(isForgotten(pruned, new Date(now.getTime() - 0.9 * dayMs), retention)).toBe(true);
  });
});
