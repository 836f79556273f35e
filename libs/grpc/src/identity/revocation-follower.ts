import { setTimeout as pause } from 'node:timers/promises';
import type { WatchRevocationsResponse } from '#contract/auth/v1/auth';
import { systemClock, type Clock, type Logger, type Metrics } from '#libs/runtime';
import { createFreshness, type Freshness } from './revocation-freshness.ts';
import { createRevocationSet, type Revocations, type RevocationSet } from './revocations.ts';

export interface RevocationFollowerOptions {
  /** Begins to listen to auth, until the signal fires. Begins with a snapshot each time. */
  watch: (signal: AbortSignal) => AsyncIterable<WatchRevocationsResponse>;
  logger: Logger;
  metrics: Metrics;
  clock?: Clock;
}

/** What auth has revoked, at hand in memory. `isStale` = no complete knowledge for 5 seconds. */
export interface RevocationFollower extends Revocations {
  /** Begins to follow and keeps trying. */
  start(): void;
  stop(): Promise<void>;
  /**
   * For health: throws while no snapshot has arrived yet, but only in the first seconds. A service still serves while auth
   * is down; its sensitive methods refuse then.
   */
  check(): Promise<void>;
}

const retry = { firstMs: 100, maxMs: 1000 };
const tickMs = 1000;
// auth says something every two seconds. Less than the five after which we are stale, so that another replica can be asked in time.
const silenceMs = 3000;
const startPatienceMs = 5000;

/** Between half and all of a pause that doubles with every failure, so that the followers of a restarted auth come one by one. */
function backoffMs(failures: number): number {
  return Math.min(retry.maxMs, retry.firstMs * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2);
}

/** What is known, which outlives every connection. */
interface Knowledge {
  known: RevocationSet;
  freshness: Freshness;
}

/**
 * One connection, to its end; throws what ended it. A snapshot takes the place of what is known when it is complete; until
 * then it only adds to it. `onComplete` is told when that was reached.
 */
async function followOnce(watch: RevocationFollowerOptions['watch'], state: Knowledge, { stop, onComplete }: { stop: AbortSignal; onComplete: () => void }): Promise<void> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), silenceMs);
  let snapshot: RevocationSet | undefined = createRevocationSet();
  try {
    for await (const { revocations, snapshotComplete } of watch(AbortSignal.any([silence.signal, stop]))) {
      timer.refresh();
      state.known.add(revocations);
      snapshot?.add(revocations);
      if (snapshot !== undefined && snapshotComplete) {
        state.known = snapshot;
        snapshot = undefined;
        onComplete();
      }
      if (snapshot === undefined) state.freshness.hear();
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error(silence.signal.aborted ? `auth was silent for ${silenceMs} ms` : 'auth ended the stream');
}

/** Follows auth's stream of revocations, reconnecting for ever. It never forgets what may still matter while it reconnects. */
export function createRevocationFollower({ watch, logger, metrics, clock = systemClock }: RevocationFollowerOptions): RevocationFollower {
  const state: Knowledge = { known: createRevocationSet(), freshness: createFreshness({ clock, logger, metrics }) };
  const { freshness } = state;
  const size = metrics.gauge('taskflow_revocations_known', 'Revoked sessions and accounts whose tokens may still be in use.');
  const stopping = new AbortController();
  const createTime = Date.now();
  let lastError: unknown;
  let running: Promise<void> | undefined;
  let ticking: NodeJS.Timeout | undefined;

  async function follow(): Promise<void> {
    const { signal } = stopping;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const onComplete = (): void => void (failures = -1);
      lastError = await followOnce(watch, state, { stop: signal, onComplete }).catch((error: unknown) => error);
      logger.debug({ err: lastError }, 'revocation stream ended');
      await pause(backoffMs(Math.max(0, failures)), undefined, { signal }).catch(() => undefined);
    }
  }

  const tick = (): void => {
    state.known.forgetExpired(clock.now());
    size.set(state.known.size());
    freshness.report(lastError);
  };
  return {
    isRevoked: (token) => state.known.has(token),
    isStale: freshness.isStale,
    start: () => {
      running ??= follow();
      ticking ??= setInterval(tick, tickMs).unref();
    },
    stop: async () => {
      stopping.abort();
      clearInterval(ticking);
      await running;
    },
    check: async () => {
      if (!freshness.hasBegun() && Date.now() - createTime < startPatienceMs) throw new Error('no revocations yet');
    },
  };
}
