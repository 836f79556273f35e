import { InvalidArgumentError } from 'commander';

const secondsPer = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** "30d" → seconds. Only with one of these units. Throws what commander reports as a wrong argument. */
export function readSpan(units: readonly (keyof typeof secondsPer)[], like: string) {
  const form = new RegExp(`^(\\d{1,9})(${units.join('|')})$`);
  return (text: string): bigint => {
    const [, count, unit] = form.exec(text) ?? [];
    if (count === undefined) throw new InvalidArgumentError(`Say it like ${like}.`);
    return BigInt(Number(count) * secondsPer[unit as keyof typeof secondsPer]);
  };
}
