import { describe, expect, it } from '@jest/globals';
import { isOverdue, touching, type Attempt } from './measures.ts';
import { overlapMs, startStallMeter } from './stalls.ts';

const attempt = (fields: Partial<Attempt>): Attempt => ({
  startedAt: 0,
  durationMs: 0,
  grantedMs: 3000,
  stalledMs: 0,
  method: 'GetTask',
  outcome: 'OK',
  provoked: false,
  ...fields,
});

describe('a call', () => {
  it('may outlive its deadline by a grace, and by what its client lost itself', () => {
    expect([3000, 3100, 3101].map((durationMs) => isOverdue(attempt({ durationMs })))).toEqual([false, false, true]);
    expect([3150, 3151].map((durationMs) => isOverdue(attempt({ durationMs, stalledMs: 50 })))).toEqual([false, true]);
  });

  it('belongs to a restart that it has touched, also when it began before it or ended after it', () => {
    const calls = [
      attempt({ method: 'over', startedAt: 0, durationMs: 90 }),
      attempt({ method: 'at its beginning', startedAt: 50, durationMs: 100 }),
      attempt({ method: 'inside', startedAt: 120, durationMs: 10 }),
      attempt({ method: 'at its end', startedAt: 190, durationMs: 500 }),
      attempt({ method: 'afterwards', startedAt: 200, durationMs: 10 }),
    ];
    expect(touching(calls, { from: 100, to: 200 }).map(({ method }) => method)).toEqual([
      'at its beginning',
      'inside',
      'at its end',
    ]);
  });
});

describe('the time that a client loses by itself', () => {
  it('counts as far as it falls into a call', () => {
    const stalls = [
      { from: 10, to: 30 },
      { from: 50, to: 90 },
    ];
    expect([overlapMs(stalls, 0, 100), overlapMs(stalls, 20, 60), overlapMs(stalls, 30, 50)]).toEqual([60, 20, 0]);
  });

  it('is noticed at once when the event loop was kept busy', () => {
    const meter = startStallMeter();
    const from = performance.now();
    while (performance.now() < from + 120);
    const lostMs = meter.lostMs(from, performance.now());
    meter.stop();
    expect(lostMs).toBeGreaterThanOrEqual(100);
    expect(lostMs).toBeLessThanOrEqual(performance.now() - from);
    expect(meter.longestMs()).toBeGreaterThanOrEqual(100);
  });
});
