import { describe, expect, it } from '@jest/globals';
import { boundTimeout, deadlineAfter, parseTimeout } from './call-timeout.ts';

describe('a timeout', () => {
  const units = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };
  const digits = '0 1 9 596 597 35791 35792 2147483 2147484 9999999 00000001 99999999'.split(' ');

  it.each(Object.entries(units))(
    'in %s is read exactly, and bounded to 32 bits of milliseconds for grpc-js',
    (unit, factor) => {
      for (const count of digits) {
        expect(parseTimeout(`${count}${unit}`)).toBeCloseTo(Number(count) * factor, 6);
        const bound = parseTimeout(boundTimeout(`${count}${unit}`) ?? '');
        expect(bound).toBeLessThan(2 ** 31);
        expect(bound).toBeGreaterThanOrEqual(Math.min(Number(count) * factor, 2_147_483_000));
      }
    },
  );

  const malformed = [
    '',
    ' 1S',
    '1S ',
    '1S\n',
    '1 S',
    ...'S 1 -1S +1S 1.5S 1e9S 123456789S 1s 1Sm \u0661S 0x1S'.split(' '),
  ];
  it.each(malformed)('spelled %j is invalid', (text) => {
    expect([parseTimeout(text), boundTimeout(text)]).toEqual([undefined, undefined]);
  });
});

it('a deadline beyond 32 bits of milliseconds is infinite', () => {
  for (const timeoutMs of [undefined, 2 ** 31, 1e300, Infinity]) expect(deadlineAfter(timeoutMs)).toBe(Infinity);
  const before = Date.now();
  expect(deadlineAfter(2 ** 31 - 1)).toBeGreaterThanOrEqual(before + 2 ** 31 - 1);
});
