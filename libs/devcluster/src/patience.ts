import { setTimeout as sleep } from 'node:timers/promises';
import { patiently } from '#libs/grpc';

/** Asks again and again until the answer satisfies; rejects with the last answer after `patienceMs`. */
export async function until<T>(ask: () => Promise<T>, satisfies: (answer: T) => boolean, patienceMs = 100_000): Promise<T> {
  const giveUp = Date.now() + patienceMs;
  for (;;) {
    const answer = await patiently(ask, Math.max(0, giveUp - Date.now()));
    if (satisfies(answer)) return answer;
    if (Date.now() > giveUp) throw new Error(`waited for ${patienceMs} ms in vain; the last answer: ${describe(answer)}`);
    await sleep(100);
  }
}

function describe(answer: unknown): string {
  return JSON.stringify(answer, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
