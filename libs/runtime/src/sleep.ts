import { setTimeout as delay } from 'node:timers/promises';
import { timerMs } from './timer.ts';

/** Resolves after `ms`, or early when the signal fires. Never rejects. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(timerMs(ms), undefined, { signal }).catch(() => undefined);
}

/** A pause that another part of the program can end. */
export interface WakeableSleep {
  /** Resolves after `ms`, when the signal fires, or at the next `wake`. One sleeper at a time. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Ends the current sleep; without one it does nothing. */
  wake(): void;
}

export function createWakeableSleep(): WakeableSleep {
  let wake = (): void => undefined;
  return {
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const end = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(end, timerMs(ms));
        signal?.addEventListener('abort', end, { once: true });
        wake = end;
      }),
    wake: () => wake(),
  };
}
