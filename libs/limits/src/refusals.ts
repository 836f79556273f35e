/**
 * Remembers refused keys, so that Redis is not asked about them before their wait ends. Only this process's own
 * durations count.
 */
export interface Refusals {
  /** How long the key must still wait; 0 when nothing is known. */
  leftMs(key: string): number;
  remember(key: string, waitMs: number): void;
}

/** Beyond this number the oldest keys are dropped; Redis is asked about them again. */
const maxKeys = 10_000;

export function createRefusals(): Refusals {
  const until = new Map<string, number>();
  return {
    leftMs: (key) => {
      const leftMs = Math.ceil((until.get(key) ?? 0) - performance.now());
      if (leftMs > 0) return leftMs;
      until.delete(key);
      return 0;
    },
    remember: (key, waitMs) => {
      until.set(key, performance.now() + waitMs);
      const [oldest] = until.keys();
      if (until.size > maxKeys && oldest !== undefined) until.delete(oldest);
    },
  };
}
