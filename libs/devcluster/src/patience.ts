import { setTimeout as sleep } from 'node:timers/promises';
import { CallError } from '#libs/grpc';

const mayPass = new Set(['unavailable', 'deadline_exceeded', 'resource_exhausted', 'aborted']);

/** Repeats a call while its service is away, as a client that must get through does; only for calls that may be repeated. */
export async function patiently<T>(call: (attempt: number) => Promise<T>, patienceMs = 60_000): Promise<T> {
  const giveUp = Date.now() + patienceMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      const passing = error instanceof CallError && mayPass.has(error.kind);
      if (!passing || Date.now() > giveUp) throw error;
      await sleep(Math.min(error.details.retryAfterMs ?? 100 * 2 ** attempt, 1000));
    }
  }
}

/** Asks again and again until the answer satisfies; rejects with the last answer after `patienceMs`. */
export async function until<T>(ask: () => Promise<T>, satisfies: (answer: T) => boolean, patienceMs = 60_000): Promise<T> {
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
