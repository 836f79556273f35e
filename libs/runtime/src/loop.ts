import { backoffMs } from './backoff.ts';
import type { Logger } from './logger.ts';
import { createWakeableSleep } from './sleep.ts';

export interface LoopOptions {
  name: string;
  logger: Logger;
  /** The pause after a run that has nothing more to do. */
  intervalMs: number;
  /** One run; `again: true` starts the next at once, `pauseMs` after a shorter pause than intervalMs. */
  run: (signal: AbortSignal) => Promise<{ again: boolean; pauseMs?: number } | void>;
  /** The longest pause after failures in a row; they double from firstBackoffMs on (default intervalMs), with jitter. */
  maxBackoffMs?: number;
  firstBackoffMs?: number;
}

export interface Loop {
  /** Ends the current pause. */
  wake(): void;
  /** The same, except for a pause after a failure. */
  nudge(): void;
  /** Fires the signal of a running run and waits until it has ended. */
  stop(): Promise<void>;
}

/** Repeats work until stopped. A failing run is logged and repeated later; it never ends the loop. */
export function startLoop(options: LoopOptions): Loop {
  const stopping = new AbortController();
  const pause = createWakeableSleep();
  const { firstBackoffMs = options.intervalMs, maxBackoffMs = 10_000 } = options;
  const backoff = { firstMs: firstBackoffMs, maxMs: maxBackoffMs };
  let woken = false;
  let failing = false;

  async function runOnce(failures: number): Promise<{ failures: number; pauseMs: number }> {
    try {
      const outcome = await options.run(stopping.signal);
      const { again = false, pauseMs = options.intervalMs } = outcome ?? {};
      return { failures: 0, pauseMs: again ? 0 : Math.min(pauseMs, options.intervalMs) };
    } catch (error) {
      if (!stopping.signal.aborted)
        options.logger.warn({ err: error, loop: options.name, failures: failures + 1 }, 'loop run failed');
      return { failures: failures + 1, pauseMs: Math.max(50, backoffMs(backoff, failures + 1)) };
    }
  }

  async function repeat(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      woken = false;
      const result = await runOnce(failures);
      failures = result.failures;
      failing = failures > 0;
      if (result.pauseMs === 0) await new Promise(setImmediate);
      else if (!woken) await pause.sleep(result.pauseMs, stopping.signal);
    }
  }

  const wake = (): void => {
    woken = true;
    pause.wake();
  };
  const ended = repeat();
  return {
    wake,
    nudge: () => {
      if (!failing) wake();
    },
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
