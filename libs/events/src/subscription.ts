import type { Position, StoredEvent } from './pull.ts';

/** One reader's place at the hub. It keeps little: what does not fit is dropped, and the reader gets it from the log. */
export interface Subscription {
  offer(event: StoredEvent): void;
  /** The hub has looked at the log. */
  notice(): void;
  /** The hub cannot read. */
  fail(error: unknown): void;
  /** Where the hub stands: everything up to there has been offered. Undefined until it has begun. */
  hubPosition(): Position | undefined;
  /** Forgets what was offered; from now on nothing is missing again. */
  restart(): void;
  /** Something was dropped since the last restart. */
  missed(): boolean;
  /** Throws what the hub failed with. */
  take(): StoredEvent | undefined;
  /** Resolves when something was offered or the hub got on, after `maxMs`, or when the signal fires. */
  wait(maxMs: number, signal: AbortSignal): Promise<void>;
}

/** 500 readers that take nothing cost at most 32 MiB. */
const maxKeptEvents = 64;
const maxKeptBytes = 64 * 1024;

export function createSubscription(hubPosition: () => Position | undefined): Subscription {
  let kept: StoredEvent[] = [];
  let keptBytes = 0;
  let missed = false;
  let failure: { error: unknown } | undefined;
  let wake = (): void => undefined;
  const clear = (): void => {
    kept = [];
    keptBytes = 0;
  };

  return {
    offer: (event) => {
      if (missed) return;
      kept.push(event);
      keptBytes += event.payload.byteLength;
      if (kept.length > 1 && (kept.length > maxKeptEvents || keptBytes > maxKeptBytes)) {
        clear();
        missed = true;
      }
    },
    notice: () => wake(),
    fail: (error) => {
      failure = { error };
      wake();
    },
    hubPosition,
    restart: () => {
      clear();
      missed = false;
    },
    missed: () => missed,
    take: () => {
      if (failure !== undefined) throw failure.error;
      const event = kept.shift();
      keptBytes -= event?.payload.byteLength ?? 0;
      return event;
    },
    wait: (maxMs, signal) =>
      new Promise((resolve) => {
        if (signal.aborted || failure !== undefined || kept.length > 0 || missed) return resolve();
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          wake = () => undefined;
          resolve();
        };
        const timer = setTimeout(end, maxMs);
        signal.addEventListener('abort', end, { once: true });
        wake = end;
      }),
  };
}
