import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readRetryAfter } from './retry-after.ts';

const now = new Date('2026-11-06T08:49:37Z');
const read = (text: string, date?: string): number | undefined => readRetryAfter({ 'retry-after': text, date }, now);

describe('Retry-After', () => {
  it.each([
    ['seconds', '120', 120_000],
    ['the form of today', 'Fri, 06 Nov 2026 08:51:37 GMT', 120_000],
    ['the form of RFC 850', 'Friday, 06-Nov-26 08:51:37 GMT', 120_000],
    ['the form of asctime', 'Fri Nov  6 08:51:37 2026', 120_000],
    ['more than an hour', '999999999', 3_600_000],
    ['the largest number of all', '9'.repeat(400), 3_600_000],
    ['a date far ahead', 'Wed, 06 Nov 2126 08:49:37 GMT', 3_600_000],
  ])('is read as %s', (_name, text, expected) => expect(read(text)).toBe(expected));

  it.each([
    '',
    '0',
    '-5',
    '1e3',
    '0x10',
    '1.5',
    ' 7',
    'soon',
    'Fri, 06 Nov 2026 08:49:36 GMT',
    'Fri, 41 Nov 2026 08:51:37 GMT',
    '2026-11-06T08:51:37Z',
    'Fri, 06 Nov 2026 08:51:37 CET',
  ])('asks for nothing with %j', (text) => expect(read(text)).toBeUndefined());

  it('goes by the clock of the receiver, where the answer shows that', () => {
    expect(read('Fri, 06 Nov 2026 11:00:30 GMT', 'Fri, 06 Nov 2026 11:00:00 GMT')).toBe(30_000);
    expect(read('Fri, 06 Nov 2026 06:00:30 GMT', 'Fri, 06 Nov 2026 06:00:00 GMT')).toBe(30_000);
    expect(read('Fri, 06 Nov 2026 08:51:37 GMT', 'yesterday')).toBe(120_000);
  });

  it('is the same for every instant, however the receiver writes it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3_600 }),
        fc.integer({ min: 0, max: 40 * 365 * 86_400 }),
        (waitSeconds, second) => {
          const sent = new Date(second * 1_000 + Date.UTC(2020, 0));
          const until = new Date(sent.getTime() + waitSeconds * 1_000);
          expect(readRetryAfter({ 'retry-after': until.toUTCString() }, sent)).toBe(waitSeconds * 1_000);
        },
      ),
    );
  });
});
