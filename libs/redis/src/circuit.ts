/** Spares calls the time limit of a store that does not answer. */
export interface Circuit {
  /** Whether the store may be asked now. While the circuit is open, one call in each pause may try. */
  allows(): boolean;
  succeeded(): void;
  failed(): void;
}

const failuresToOpen = 3;
const pauseMs = 1000;

/** `now` returns milliseconds; only differences count. */
export function createCircuit(now: () => number = () => performance.now()): Circuit {
  let failures = 0;
  let nextTryAt = 0;
  return {
    allows: () => {
      if (failures < failuresToOpen) return true;
      if (now() < nextTryAt) return false;
      nextTryAt = now() + pauseMs;
      return true;
    },
    succeeded: () => void (failures = 0),
    failed: () => {
      failures += 1;
      nextTryAt = now() + pauseMs;
    },
  };
}
