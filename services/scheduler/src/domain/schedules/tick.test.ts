import { describe, expect, it } from '@jest/globals';
import { ScheduleOverlapPolicy } from '#contract/scheduler/v1/scheduler';
import { planTick, type DueSchedule } from './tick.ts';

const minute = 60_000;
const noon = new Date('2026-06-01T12:00:00Z');
const at = (text: string): Date => new Date(`2026-06-01T${text}Z`);

/** Every minute, due at noon. */
const due = (fields: Partial<DueSchedule> = {}): DueSchedule => ({
  id: 'schedule',
  timing: { intervalMs: minute, anchor: noon },
  overlapPolicy: ScheduleOverlapPolicy.SKIP,
  catchUpWindowMs: 60 * minute,
  nextFireTime: noon,
  unfinished: 0,
  now: noon,
  ...fields,
});

describe('a fire time that has come', () => {
  it('gets a run, and the next one is planned', () => {
    expect(planTick(due())).toEqual({ runs: [noon], missed: undefined, next: at('12:01:00') });
  });

  it('gets none under SKIP while a run has not ended', () => {
    expect(planTick(due({ unfinished: 1 }))).toEqual({ runs: [], missed: noon, next: at('12:01:00') });
  });

  it('waits under BUFFER_ONE, and only one does', () => {
    expect(planTick(due({ overlapPolicy: ScheduleOverlapPolicy.BUFFER_ONE, unfinished: 1 })).runs).toEqual([noon]);
    expect(planTick(due({ overlapPolicy: ScheduleOverlapPolicy.BUFFER_ONE, unfinished: 2 })).runs).toEqual([]);
  });

  it('is the last one of an expression that has no more', () => {
    const timing = { cron: '0 12 1 6 *', timeZone: 'UTC' };
    expect(planTick(due({ timing, now: at('12:00:30') })).next).toEqual(new Date('2027-06-01T12:00:00Z'));
  });
});

describe('after a downtime', () => {
  const late = at('12:05:30');
  it('all fire times within the window get a run under BUFFER_ALL, the oldest first', () => {
    const { runs, missed, next } = planTick(due({ overlapPolicy: ScheduleOverlapPolicy.BUFFER_ALL, now: late }));
    expect(runs).toEqual(['12:00:00', '12:01:00', '12:02:00', '12:03:00', '12:04:00', '12:05:00'].map(at));
    expect([missed, next]).toEqual([undefined, at('12:06:00')]);
  });

  it('the oldest gets one under SKIP, and the oldest two under BUFFER_ONE', () => {
    expect(planTick(due({ now: late }))).toEqual({ runs: [noon], missed: at('12:01:00'), next: at('12:06:00') });
    expect(planTick(due({ overlapPolicy: ScheduleOverlapPolicy.BUFFER_ONE, now: late })).runs).toEqual([
      noon,
      at('12:01:00'),
    ]);
  });

  it('fire times older than the window get none', () => {
    const tick = planTick(
      due({ overlapPolicy: ScheduleOverlapPolicy.BUFFER_ALL, catchUpWindowMs: 2 * minute, now: late }),
    );
    expect(tick).toEqual({ runs: [at('12:04:00'), at('12:05:00')], missed: noon, next: at('12:06:00') });
  });

  it('a long backlog is taken in parts, without gaps', () => {
    let schedule = due({
      overlapPolicy: ScheduleOverlapPolicy.BUFFER_ALL,
      catchUpWindowMs: 24 * 60 * minute,
      now: at('18:00:00'),
    });
    const runs: Date[] = [];
    while (schedule.nextFireTime <= schedule.now) {
      const tick = planTick(schedule);
      runs.push(...tick.runs);
      schedule = { ...schedule, nextFireTime: tick.next ?? new Date(Number.NaN) };
    }
    expect(runs).toEqual(Array.from({ length: 361 }, (_, index) => new Date(noon.getTime() + index * minute)));
  });

  it('a year costs no more than a day', () => {
    const schedule = due({
      timing: { cron: '* * * * *', timeZone: 'Europe/Berlin' },
      nextFireTime: new Date('2025-06-01T12:00:00Z'),
      catchUpWindowMs: minute,
    });
    expect(planTick(schedule)).toEqual({ runs: [at('11:59:00')], missed: noon, next: at('12:01:00') });
  });
});
