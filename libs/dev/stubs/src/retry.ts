import type { ErrorKind } from '#libs/errors';
import { backoffMs, sleep } from '#libs/runtime';
import { CallError } from './stub.ts';

const backoff = { firstMs: 200, maxMs: 1000 };
const transient = new Set<ErrorKind>(['unavailable', 'deadline_exceeded', 'resource_exhausted', 'aborted']);

/**
 * Repeats a call while its service is unavailable or overloaded. Waits for the delay
 * in the answer, at most a second. Only for calls that are safe to repeat. Rejects with the last CallError after
 * `limitMs`, and at once with any other error. `attempt` counts from 0.
 */
export async function retry<T>(call: (attempt: number) => Promise<T>, limitMs = 60_000): Promise<T> {
  const giveUp = performance.now() + limitMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      const isTransient = error instanceof CallError && transient.has(error.kind);
      if (!isTransient || performance.now() > giveUp) throw error;
      await sleep(Math.min(error.details.retryAfterMs ?? backoffMs(backoff, attempt + 1), backoff.maxMs));
    }
  }
}
