import type { Logger } from './logger.ts';

export interface LoopOptions {
  name: string;
  logger: Logger;
  /** The pause after a run that has nothing more to do. */
  intervalMs: number;
  /** One run; `again: true` starts the next at once. */
  run: (signal: AbortSignal) => Promise<{ again: boolean } | void>;
  /** The longest pause after failures in a row; they double from intervalMs on, with jitter. */
  maxBackoffMs?: number;
}

export interface Loop {
  /** Ends the current pause. */
  wake(): void;
  /** Fires the signal of a running run and waits until it has ended. */
  stop(): Promise<void>;
}

/** Repeats work until stopped. A failing run is logged and repeated later; it never ends the loop. */
export function startLoop(options: LoopOptions): Loop {
  const stopping = new AbortController();
  let wake: () => void = () => undefined;
  let woken = false;

  function pause(ms: number): Promise<void> {
    if (woken || stopping.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function runOnce(failures: number): Promise<{ failures: number; pauseMs: number }> {
    try {
      const outcome = await options.run(stopping.signal);
      return { failures: 0, pauseMs: outcome?.again === true ? 0 : options.intervalMs };
    } catch (error) {
      if (!stopping.signal.aborted) options.logger.warn({ err: error, loop: options.name, failures: failures + 1 }, 'loop run failed');
      const backoffMs = Math.min(options.maxBackoffMs ?? 10_000, options.intervalMs * 2 ** Math.min(failures, 10));
      return { failures: failures + 1, pauseMs: Math.max(50, backoffMs * (0.5 + Math.random() / 2)) };
    }
  }

  async function repeat(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      woken = false;
      const result = await runOnce(failures);
      failures = result.failures;
      if (result.pauseMs > 0) await pause(result.pauseMs);
      else await new Promise(setImmediate);
    }
  }

  const ended = repeat();
  return {
    wake: () => {
      woken = true;
      wake();
    },
    stop: async () => {
      stopping.abort();
      wake();
      await ended;
    },
  };
}
