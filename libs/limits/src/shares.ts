import { steadyNow } from '#libs/runtime';
import type { LimitDecision } from './decision.ts';
import type { SharedPoints, WindowSize } from './shared-points.ts';

export interface SharesOptions {
  points: SharedPoints;
  /** The first part of the keys in Redis. */
  keyPrefix: string;
  size: WindowSize;
  /** Take no shares: each call asks Redis, until one is refused. */
  exact: boolean;
  /** Milliseconds; only differences count. */
  now?: () => number;
}

/**
 * What this process knows of the windows of one limit, by subject, so that most calls need not ask Redis: the share of
 * points that it took in advance, and that nothing is left.
 *
 * Redis counts a share as used when it is taken, and a share ends with its window. So never more calls pass than the
 * limit allows. Points that lie unused in a share make other processes refuse too early: at most one in a hundred for
 * each process.
 */
export interface Shares {
  /** Decides without asking anybody; undefined when Redis must be asked. */
  decide(subject: string): LimitDecision | undefined;
  /** Asks Redis. Rejects with StoreUnavailable. */
  ask(subject: string): Promise<LimitDecision>;
}

/** The largest share, as a part of the limit. */
const largestShare = 1 / 100;
/** Beyond this number the oldest windows are forgotten, with their shares; Redis is asked about them again. */
const maxWindows = 10_000;

/** 0, 3, 15, 63, …: a subject that calls rarely leaves little unused. */
const nextWanted = (wanted: number): number => 4 * wanted + 3;

interface Window {
  /** Points that may be used until `endsAt`. */
  share: number;
  endsAt: number;
  /** Until then nothing is left in Redis. */
  refusedUntil: number;
  /** How many points the next question wants in advance. */
  wanted: number;
  /** Such a question is under way. Others want nothing in advance, so that no share becomes larger than the largest. */
  growing: boolean;
}

const passes: LimitDecision = { allowed: true, retryAfterMs: 0 };

function createWindows(now: () => number) {
  /** In the order in which they began. All last equally long, so the first ones are over first. */
  const windows = new Map<string, Window>();
  const isOver = (window: Window): boolean => !window.growing && now() >= Math.max(window.endsAt, window.refusedUntil);
  return {
    find: (subject: string): Window | undefined => windows.get(subject),
    /** A new one is not kept yet. */
    findOrBegin: (subject: string): Window => {
      const known = windows.get(subject);
      if (known !== undefined && !isOver(known)) return known;
      return { share: 0, endsAt: 0, refusedUntil: 0, wanted: 0, growing: false };
    },
    keep: (subject: string, window: Window): void => {
      if (windows.get(subject) === window) return;
      windows.delete(subject);
      for (const [oldest, one] of windows) {
        if (windows.size < maxWindows && !isOver(one)) break;
        windows.delete(oldest);
      }
      windows.set(subject, window);
    },
  };
}

export function createShares({ points, keyPrefix, size, exact, now = steadyNow }: SharesOptions): Shares {
  const maxShare = exact ? 0 : Math.floor(size.points * largestShare);
  const windows = createWindows(now);

  function useShare(window: Window): boolean {
    if (window.share === 0 || now() >= window.endsAt) return false;
    window.share -= 1;
    return true;
  }

  const take = (subject: string, wanted: number) => points.take(`${keyPrefix}:${subject}`, size, wanted);

  async function takeMore(subject: string, window: Window): ReturnType<typeof take> {
    window.growing = true;
    windows.keep(subject, window);
    try {
      const taken = await take(subject, window.wanted);
      window.share = taken.inAdvance;
      window.endsAt = taken.endsAt;
      window.wanted = Math.min(maxShare, nextWanted(window.wanted));
      return taken;
    } finally {
      window.growing = false;
    }
  }

  return {
    decide: (subject) => {
      const window = windows.find(subject);
      if (window === undefined) return undefined;
      if (useShare(window)) return passes;
      const leftMs = Math.ceil(window.refusedUntil - now());
      return leftMs > 0 ? { allowed: false, retryAfterMs: leftMs } : undefined;
    },
    ask: async (subject) => {
      const window = windows.findOrBegin(subject);
      const mayGrow = maxShare > 0 && !window.growing;
      const { granted, leftMs } = await (mayGrow ? takeMore(subject, window) : take(subject, 0));
      if (granted || useShare(window)) return passes;
      const retryAfterMs = Math.max(1, leftMs);
      window.refusedUntil = now() + retryAfterMs;
      windows.keep(subject, window);
      return { allowed: false, retryAfterMs };
    },
  };
}
