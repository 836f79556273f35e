/** Measures how long this process itself stood still: meanwhile neither an answer nor a deadline reaches its caller. */
export interface StallMeter {
  /** Milliseconds that were lost between two moments of `performance.now()`. */
  lostMs(from: number, to: number): number;
  longestMs(): number;
  stop(): void;
}

const tickMs = 10;
/** Timers are this late on an idle machine too. */
const usualMs = 5;

interface Stall {
  from: number;
  to: number;
}

/** The part of the stalls that falls between two moments. */
export function overlapMs(stalls: readonly Stall[], from: number, to: number): number {
  return stalls.reduce((sum, stall) => sum + Math.max(0, Math.min(stall.to, to) - Math.max(stall.from, from)), 0);
}

/** Looks at the clock a hundred times a second: a late tick was delayed by the event loop or the machine. */
export function startStallMeter(): StallMeter {
  const stalls: Stall[] = [];
  let last = performance.now();
  const look = (): void => {
    const now = performance.now();
    if (now - last > tickMs + usualMs) stalls.push({ from: last + tickMs, to: now });
    last = now;
  };
  const timer = setInterval(look, tickMs);
  return {
    lostMs: (from, to) => {
      // The next tick, which may come later than this, would notice the stall that has just ended.
      look();
      return overlapMs(stalls, from, to);
    },
    longestMs: () => Math.max(0, ...stalls.map((stall) => stall.to - stall.from)),
    stop: () => clearInterval(timer),
  };
}
