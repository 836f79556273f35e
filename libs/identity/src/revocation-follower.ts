import type { WatchRevocationsResponse } from '#contract/auth/v1/auth';
import { backoffMs, sleep, systemClock, type Clock, type Logger, type Metrics, type SharedClock } from '#libs/runtime';
import { createFreshness, type Freshness } from './revocation-freshness.ts';
import { createRevocationSet, type Revocations, type RevocationSet } from './revocations.ts';

export interface RevocationFollowerOptions {
  /** Opens a stream from auth, which begins with a snapshot. The signal ends it. */
  watch: (signal: AbortSignal) => AsyncIterable<WatchRevocationsResponse>;
  logger: Logger;
  metrics: Metrics;
  /** Decides when revocations expire. Nothing expires before the clock is set, because it may be wrong until then. */
  clock?: Clock & Partial<Pick<SharedClock, 'isSet'>>;
  /** Measures silences. Default: `performance.now`. */
  elapsedMs?: () => number;
}

/** What auth has revoked. `isStale`: nothing was received for 5 seconds, or the snapshot is incomplete. */
export interface RevocationFollower extends Revocations {
  /** Starts to follow and keeps trying. */
  start(): void;
  stop(): Promise<void>;
  /** For health: throws while there is no snapshot, in the first seconds; a service also serves without auth. */
  check(): Promise<void>;
}

/** With jitter, so that the followers of a restarted auth do not all reconnect together. */
const retry = { firstMs: 100, maxMs: 1000 };
const tickMs = 1000;
// auth sends something every two seconds. Less than the staleness limit, so that another replica can be tried in time.
const silenceMs = 3000;
const startGraceMs = 5000;

/** The state that outlives connections. */
interface Knowledge {
  known: RevocationSet;
  freshness: Freshness;
}

/**
 * Follows one connection to its end and throws its error. A snapshot replaces the known revocations when it is
 * complete; until then it only adds to them. Then calls `onComplete`.
 */
async function followOnce(
  watch: RevocationFollowerOptions['watch'],
  state: Knowledge,
  { stop, onComplete }: { stop: AbortSignal; onComplete: () => void },
): Promise<void> {
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

/** Follows auth's stream of revocations and reconnects for ever, without losing known revocations meanwhile. */
export function createRevocationFollower({
  watch,
  logger,
  metrics,
  clock = systemClock,
  elapsedMs = () => performance.now(),
}: RevocationFollowerOptions): RevocationFollower {
  const state: Knowledge = { known: createRevocationSet(), freshness: createFreshness({ elapsedMs, logger, metrics }) };
  const { freshness } = state;
  const size = metrics.gauge(
    'taskflow_revocations_known',
    'Revoked sessions and accounts whose tokens may still be in use.',
  );
  const stopping = new AbortController();
  const createdAt = performance.now();
  let lastError: unknown;
  let running: Promise<void> | undefined;
  let ticking: NodeJS.Timeout | undefined;

  async function follow(): Promise<void> {
    const { signal } = stopping;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const onComplete = (): void => void (failures = -1);
      lastError = await followOnce(watch, state, { stop: signal, onComplete }).catch((error: unknown) => error);
      logger.debug({ err: lastError }, 'revocation stream ended');
      await sleep(backoffMs(retry, failures + 1), signal);
    }
  }

  const tick = (): void => {
    if (clock.isSet?.() !== false) state.known.pruneExpired(clock.now());
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
      if (!freshness.hasBegun() && performance.now() - createdAt < startGraceMs) throw new Error('no revocations yet');
    },
  };
}
