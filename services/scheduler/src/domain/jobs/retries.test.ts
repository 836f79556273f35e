import { describe, expect, it } from '@jest/globals';
import { nextAttempt } from './retries.ts';

const rules = { firstPauseMs: 5_000, giveUpMs: 86_400_000 };
const firstAttempt = new Date('2026-01-01T00:00:00Z');

/** When each try is made, in milliseconds from the first, if every one fails. */
function tries(): number[] {
  const times = [0];
  for (;;) {
    const next = nextAttempt(
      { firstAttempt, now: new Date(firstAttempt.getTime() + (times.at(-1) ?? 0)), retryAfterMs: undefined },
      rules,
    );
    if (next === undefined) return times;
    times.push(next.getTime() - firstAttempt.getTime());
  }
}

describe('a message that fails', () => {
  it('is tried for a day, with growing pauses, the last time at its end', () => {
    const times = tries();
    expect(times.at(-1)).toBe(rules.giveUpMs);
    expect(times.length).toBeGreaterThan(10);
    expect(times.length).toBeLessThan(30);
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(pauses[0]).toBeGreaterThanOrEqual(4_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(4 * 3_600_000);
    expect(pauses.slice(1, 6).every((pauseMs, index) => pauseMs > (pauses[index] ?? 0))).toBe(true);
  });

  it('waits as long as the endpoint asks, within its day', () => {
    const wait = (retryAfterMs: number) =>
      (nextAttempt({ firstAttempt, now: firstAttempt, retryAfterMs }, rules)?.getTime() ?? 0) - firstAttempt.getTime();
    expect(wait(60_000)).toBe(60_000);
    expect(wait(1_000_000_000)).toBe(rules.giveUpMs);
  });
});
