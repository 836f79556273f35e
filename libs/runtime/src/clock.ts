/** Gives the time. The database decides by its own clock. */
export interface Clock {
  now(): Date;
}

/** The clock of this machine. It may be wrong, and it may step. */
export const systemClock: Clock = { now: () => new Date() };

/**
 * Milliseconds that never go back, whatever happens to the machine's clock: for durations and deadlines. They start
 * near the milliseconds since 1970, but are not a time of day.
 */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * A clock that is set by another one and runs by itself in between, so that steps of the machine's clock do not affect
 * it.
 */
export interface SharedClock extends Clock {
  /** Until it is set it shows the machine's time. */
  isSet(): boolean;
  /** `time`, in milliseconds since 1970, was right when `steadyNow` was `at`. */
  set(time: number, at: number): void;
}

export function createSharedClock(): SharedClock {
  let aheadMs: number | undefined;
  return {
    now: () => new Date(aheadMs === undefined ? Date.now() : steadyNow() + aheadMs),
    isSet: () => aheadMs !== undefined,
    set: (time, at) => void (aheadMs = time - at),
  };
}
