import { describe, expect, it } from '@jest/globals';
import { firstOverdueHour } from './overdue-hour.ts';

const first = (due: string, timeZone: string, hour: number): string =>
  firstOverdueHour(new Date(due), { timeZone, hour }).toISOString();

describe('the first overdue hour', () => {
  it('is that of the day that begins when the due day ends', () => {
    expect(first('2026-06-01T22:00:00Z', 'Europe/Berlin', 9)).toBe('2026-06-02T07:00:00.000Z');
  });

  it('is at once when the day ends at that hour', () => {
    expect(first('2026-06-01T22:00:00Z', 'Europe/Berlin', 0)).toBe('2026-06-01T22:00:00.000Z');
  });

  it("is in the recipient's zone, whichever zone the day was in", () => {
    expect(first('2026-06-01T22:00:00Z', 'America/New_York', 9)).toBe('2026-06-02T13:00:00.000Z');
    expect(first('2026-06-01T22:00:00Z', 'America/New_York', 19)).toBe('2026-06-01T23:00:00.000Z');
  });

  it('keeps to the local hour on days when the clock changes', () => {
    expect(first('2026-03-28T23:00:00Z', 'Europe/Berlin', 9)).toBe('2026-03-29T07:00:00.000Z');
    expect(first('2026-10-24T22:00:00Z', 'Europe/Berlin', 9)).toBe('2026-10-25T08:00:00.000Z');
    // 02:00 does not exist, and then comes twice.
    expect(first('2026-03-28T23:00:00Z', 'Europe/Berlin', 2)).toBe('2026-03-29T01:00:00.000Z');
    expect(first('2026-10-24T22:00:00Z', 'Europe/Berlin', 2)).toBe('2026-10-25T00:00:00.000Z');
    // A gap of two hours ends at 03:00, an hour after 02:00.
    expect(first('2026-03-28T23:00:00Z', 'Antarctica/Troll', 2)).toBe('2026-03-29T01:00:00.000Z');
  });
});
