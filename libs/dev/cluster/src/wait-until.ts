import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { retry } from '#dev/stubs';

const longestPauseMs = 100;

/** A condition; or the answer itself, of which an object may name only some members. */
type Wanted<T> = ((answer: T) => boolean) | (T extends object ? { [K in Exclude<keyof T, symbol>]?: T[K] } : T);

/**
 * Asks again until the answer is as wanted, and returns it. `ask` may be a call of a service that is unavailable for a while.
 * Rejects with the last answer after `giveUpAfterMs`.
 */
export async function waitUntil<T>(
  ask: () => T | Promise<T>,
  wanted: Wanted<T> = Boolean,
  giveUpAfterMs = 100_000,
): Promise<T> {
  const giveUp = performance.now() + giveUpAfterMs;
  for (let pauseMs = 5; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const answer = await retry(async () => ask(), Math.max(0, giveUp - performance.now()));
    if (fits(answer, wanted)) return answer;
    if (performance.now() > giveUp)
      throw new Error(`not so after ${giveUpAfterMs} ms; the last answer: ${describe(answer)}`);
    await sleep(pauseMs);
  }
}

function fits<T>(answer: T, wanted: Wanted<T>): boolean {
  if (typeof wanted === 'function') return (wanted as (answer: T) => boolean)(answer);
  if (typeof wanted !== 'object' || wanted === null) return answer === wanted;
  return Object.entries(wanted).every(([name, value]) =>
    isDeepStrictEqual((answer as Record<string, unknown> | undefined)?.[name], value),
  );
}

function describe(answer: unknown): string {
  return JSON.stringify(answer, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
