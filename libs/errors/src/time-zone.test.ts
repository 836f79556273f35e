import { describe, expect, it } from '@jest/globals';
import { findTimeZone } from './time-zone.ts';

/** Names that ICU, and so `Intl`, replaces by older ones, and old names themselves. */
const renamed = [
  'Europe/Kyiv',
  'Europe/Kiev',
  'Asia/Kolkata',
  'Asia/Calcutta',
  'America/Argentina/Buenos_Aires',
  'Asia/Ho_Chi_Minh',
  'Asia/Kathmandu',
  'America/Nuuk',
  'Pacific/Kanton',
];
const links = ['US/Pacific', 'GB-Eire', 'EST5EDT', 'MST', 'CET', 'Etc/UTC', 'Etc/GMT+5', 'GMT', 'Zulu', 'UTC'];

describe('findTimeZone', () => {
  it.each([...renamed, ...links])('keeps %s as it was sent, whatever its letter case', (name) => {
    expect([name, name.toLowerCase(), name.toUpperCase()].map(findTimeZone)).toEqual([name, name, name]);
  });

  it('keeps every zone that this Node lists', () => {
    const names = Intl.supportedValuesOf('timeZone');
    expect(names.map(findTimeZone)).toEqual(names);
  });

  it('takes nothing that the services could not compute with', () => {
    for (const name of [...renamed, ...links]) {
      expect(Temporal.Instant.from('2026-01-01T00:00Z').toZonedDateTimeISO(findTimeZone(name) ?? '').timeZoneId).toBe(
        name,
      );
      expect(() => new Intl.DateTimeFormat('en', { timeZone: name })).not.toThrow();
    }
  });

  it.each([
    '',
    ' ',
    'UTC ',
    'Mars/Olympus',
    '+01:00',
    '-05',
    '+0200',
    'UTC+1',
    'GMT+2',
    'Z',
    'PST',
    'IST',
    'SystemV/EST5',
    'Factory',
    'local',
    '../etc/passwd',
    'Europe/Berlin\0',
    `A${'a'.repeat(64)}`,
  ])('refuses %j', (name) => {
    expect(findTimeZone(name)).toBeUndefined();
  });
});
