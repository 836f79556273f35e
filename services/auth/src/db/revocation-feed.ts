import type { SqlReader } from '#libs/db';
import { createWakeableSleep, runInBackground, startLoop, type Clock, type Logger } from '#libs/runtime';
import type { RevocationNews, RevocationWatch, SpreadRevocation } from '../deps.ts';
import { revocationsOutOfReach } from '../domain/auth.errors.ts';

export interface RevocationFeedOptions {
  reader: SqlReader;
  clock: Clock;
  logger: Logger;
}

/** The revocations of the database, whichever replica wrote them, for all who follow them through this process. */
export interface RevocationFeed extends RevocationWatch {
  start(): void;
  /** This process has committed some: looks at once. */
  wake(): void;
  stop(): Promise<void>;
}

interface RevocationRow extends SpreadRevocation {
  id: bigint | null;
  xmin: bigint;
  incarnation: bigint;
}

// Other replicas' are seen within this time; the contract allows one second.
const pollIntervalMs = 400;
const pollTimeoutMs = 3000;
const heartbeatMs = 1000;
// With the heartbeat's second this stays under the five after which a follower is stale, so it can try another replica.
const freshMs = 2000;
const batchSize = 1000;

// Ids are given out before commits, so an id is no place to go on from. What this statement did not see belongs to
// transactions that had not ended by its snapshot, and all of those have at least its xmin. Reading from there again
// misses nothing, and waits for nobody: a long transaction elsewhere only makes the part that is read twice longer.
const poll = {
  name: 'poll_revocations',
  text: `
    with snapshot as materialized (select pg_snapshot_xmin(pg_current_snapshot()) as xmin, log_incarnation() as incarnation)
    select s.xmin, s.incarnation, r.id, r.session_id as "sessionId", r.account_id as "accountId", r.not_before as "notBefore", r.expire_time as "expireTime"
    from snapshot s left join revocations r on r.transaction_id >= $1::xid8 and r.expire_time > $2
    order by r.id`,
};

export function createRevocationFeed({ reader, clock, logger }: RevocationFeedOptions): RevocationFeed {
  const known = new Map<bigint, SpreadRevocation>();
  const listeners = new Set<(fresh: SpreadRevocation[]) => void>();
  let readFrom = 0n;
  let incarnation: bigint | undefined;
  let lastReadAt = -Infinity;
  let loop: ReturnType<typeof startLoop> | undefined;

  function takeIn(rows: RevocationRow[]): void {
    const fresh: SpreadRevocation[] = [];
    for (const { id, sessionId, accountId, notBefore, expireTime } of rows) {
      if (id === null || known.has(id)) continue;
      const revocation = { sessionId, accountId, notBefore, expireTime };
      known.set(id, revocation);
      fresh.push(revocation);
    }
    if (fresh.length > 0) for (const tell of listeners) tell(fresh);
  }

  /**
   * Another incarnation, or numbers that went backwards: the database was restored, moved or failed over, and has
   * perhaps given numbers of lost rows to others. Everything is read again.
   */
  function startAnew(row: RevocationRow | undefined): void {
    incarnation = row?.incarnation;
    known.clear();
    readFrom = 0n;
    loop?.wake();
  }

  async function look(): Promise<void> {
    const startedAt = performance.now();
    const now = clock.now();
    const rows = await reader.query<RevocationRow>(poll, [String(readFrom), now]);
    const xmin = rows[0]?.xmin ?? 0n;
    incarnation ??= rows[0]?.incarnation;
    if (xmin < readFrom || rows[0]?.incarnation !== incarnation) return startAnew(rows[0]);
    takeIn(rows);
    readFrom = xmin;
    lastReadAt = startedAt;
    for (const [id, { expireTime }] of known) if (expireTime <= now) known.delete(id);
  }

  const assertFresh = (): void => {
    if (performance.now() - lastReadAt > freshMs) throw revocationsOutOfReach();
  };
  return {
    start: () => {
      const run = (signal: AbortSignal) =>
        runInBackground({ name: 'revocation-feed', logger, timeoutMs: pollTimeoutMs, signal }, look);
      loop ??= startLoop({ name: 'revocation-feed', logger, intervalMs: pollIntervalMs, maxBackoffMs: 1000, run });
    },
    wake: () => loop?.wake(),
    stop: async () => loop?.stop(),
    watch: (signal) => watch({ known, listeners, assertFresh }, signal),
  };
}

interface Source {
  known: ReadonlyMap<bigint, SpreadRevocation>;
  listeners: Set<(fresh: SpreadRevocation[]) => void>;
  /** Throws when nothing has been read for too long. */
  assertFresh: () => void;
}

async function* watch(
  { known, listeners, assertFresh }: Source,
  signal: AbortSignal,
): AsyncGenerator<RevocationNews, void> {
  let waiting: SpreadRevocation[] = [];
  const pause = createWakeableSleep();
  const listen = (fresh: SpreadRevocation[]): void => {
    waiting = [...waiting, ...fresh];
    pause.wake();
  };
  try {
    assertFresh();
    const snapshot = [...known.values()];
    // From here on nothing is missed.
    listeners.add(listen);
    yield* inBatches(snapshot, true);
    while (!signal.aborted) {
      if (waiting.length === 0) await pause.sleep(heartbeatMs, signal);
      assertFresh();
      const fresh = waiting;
      waiting = [];
      if (!signal.aborted) yield* inBatches(fresh, false);
    }
  } finally {
    listeners.delete(listen);
  }
}

/** At least one message, so that an empty one is a heartbeat. */
function* inBatches(revocations: readonly SpreadRevocation[], isSnapshot: boolean): Generator<RevocationNews, void> {
  let from = 0;
  do {
    const batch = revocations.slice(from, from + batchSize);
    from += batchSize;
    yield { revocations: batch, snapshotComplete: isSnapshot && from >= revocations.length };
  } while (from < revocations.length);
}
