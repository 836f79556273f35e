import { setTimeout as pause } from 'node:timers/promises';
import type { ErrorKind } from '#libs/errors';
import { CallError } from './public-client.ts';

const mayPass = new Set<ErrorKind>(['unavailable', 'deadline_exceeded', 'resource_exhausted', 'aborted']);

/**
 * Repeats a call while its service is away or busy, as a program outside the cluster does that must get through; waits as
 * long as the service asks for, at most a second at a time. Only for calls that may be repeated. Rejects with the last
 * CallError once `patienceMs` have passed, and at once with any other error. `attempt` counts from 0.
 */
export async function patiently<T>(call: (attempt: number) => Promise<T>, patienceMs = 60_000): Promise<T> {
  const giveUp = Date.now() + patienceMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      const passing = error instanceof CallError && mayPass.has(error.kind);
      if (!passing || Date.now() > giveUp) throw error;
      await pause(Math.min(error.details.retryAfterMs ?? 100 * 2 ** attempt, 1000));
    }
  }
}
