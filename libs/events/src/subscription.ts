import { createWakeableSleep } from '#libs/runtime';
import type { Position } from './position.ts';
import type { Joining } from './joining.ts';
import type { StoredEvent } from './pull.ts';

/** An event for one reader, with the shared parts of the log that the reader reads, as far as the event concerns them. */
export interface Offer {
  event: StoredEvent;
  parts: ReadonlyMap<string, Joining>;
}

/** One reader's place at the broadcaster. It keeps little: what does not fit is dropped and read from the log again. */
export interface Subscription {
  offer(offer: Offer): void;
  /** The broadcaster has read the log. */
  notice(): void;
  /** The broadcaster could not read the log. */
  fail(error: unknown): void;
  /** Everything up to this position has been offered. Undefined until the broadcaster has begun. */
  broadcastPosition(): Position | undefined;
  /** Drops what was offered; from now on nothing counts as missed. */
  restart(): void;
  /** An offer was dropped since the last restart. */
  missed(): boolean;
  /** Throws the broadcaster's error. */
  take(): Offer | undefined;
  /** Resolves when something was offered or the position moved, after `maxMs`, or when the signal fires. */
  wait(maxMs: number, signal: AbortSignal): Promise<void>;
}

/** 500 readers that take nothing cost at most 32 MiB. */
const maxKeptEvents = 64;
const maxKeptBytes = 64 * 1024;

export function createSubscription(broadcastPosition: () => Position | undefined): Subscription {
  let kept: Offer[] = [];
  let keptBytes = 0;
  let missed = false;
  let failure: { error: unknown } | undefined;
  const pause = createWakeableSleep();
  const clear = (): void => {
    kept = [];
    keptBytes = 0;
  };

  return {
    offer: (offer) => {
      if (missed) return;
      kept.push(offer);
      keptBytes += offer.event.payload.byteLength;
      if (kept.length > 1 && (kept.length > maxKeptEvents || keptBytes > maxKeptBytes)) {
        clear();
        missed = true;
      }
    },
    notice: pause.wake,
    fail: (error) => {
      failure = { error };
      pause.wake();
    },
    broadcastPosition,
    restart: () => {
      clear();
      missed = false;
    },
    missed: () => missed,
    take: () => {
      if (failure !== undefined) throw failure.error;
      const offer = kept.shift();
      keptBytes -= offer?.event.payload.byteLength ?? 0;
      return offer;
    },
    wait: async (maxMs, signal) => {
      if (failure === undefined && kept.length === 0 && !missed) await pause.sleep(maxMs, signal);
    },
  };
}
