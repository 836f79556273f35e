/** Bounds of the retries of one connection. */
export interface RetryBudget {
  /** Whether a failed call may be sent again. */
  spend(): boolean;
  earn(): void;
}

const maxTokens = 10;
const perSuccess = 0.1;

/**
 * While half of the tokens are used up nothing is retried, so that a service that fails sees few repetitions
 * (grpc/proposal A6).
 */
export function newRetryBudget(): RetryBudget {
  let tokens = maxTokens;
  return {
    spend: () => {
      tokens = Math.max(0, tokens - 1);
      return tokens > maxTokens / 2;
    },
    earn: () => {
      tokens = Math.min(maxTokens, tokens + perSuccess);
    },
  };
}

const firstMs = 100;
const maxMs = 5000;

/** How long to wait before the next attempt; `failures` counts from 1. Random, so that clients do not come at once. */
export function backoffMs(failures: number): number {
  return Math.min(firstMs * 2 ** (failures - 1), maxMs) * (0.5 + Math.random() / 2);
}

/** Resolves after a time, at once when the signal fires. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
    if (signal?.aborted === true) done();
  });
}

/** Fires with either. */
export function linkSignals(own: AbortSignal, callers: AbortSignal | undefined): AbortSignal {
  return callers === undefined ? own : AbortSignal.any([own, callers]);
}
