import type { Metrics } from '#libs/runtime';

/** How much a server handles at the same time. */
export interface Capacity {
  /** Unary calls, from the arrival of their request to their status. */
  unfinishedCalls: number;
  /** Calls that answer with a stream. */
  openStreams: number;
  /** Calls whose request has not arrived completely. */
  incompleteRequests: number;
  /** How long a client may take to send its request. */
  requestMs: number;
}

export const defaultCapacity: Capacity = {
  unfinishedCalls: 500,
  openStreams: 10_000,
  incompleteRequests: 1000,
  requestMs: 10_000,
};

/** The kinds of places that are counted. */
type PermitKind = 'calls' | 'streams' | 'incomplete';

/** The place of a call that may run. */
export interface Permit {
  /** The request is complete. Returns false when there is no room for it any more. */
  complete(): boolean;
  /** The call is over. */
  release(): void;
}

/** Why an incomplete request is evicted: it takes too long, or others need its place. */
export type Eviction = 'late' | 'displaced';

interface IncomingRequest {
  stream: boolean;
  /** The address and port of its connection. */
  peer: string;
  /** The request is already complete and takes its place at once, so that no two requests get the same place. */
  whole: boolean;
  /** Called when the request is evicted. */
  evict: (why: Eviction) => void;
}

/** Gives out permits up to the capacity. Calls beyond it are refused, because a queue would delay all calls. */
export interface ConcurrencyLimiter {
  /** Whether the call would get a permit now. */
  hasRoom(call: Omit<IncomingRequest, 'evict'>): boolean;
  /** undefined when there is no room. */
  acquire(call: IncomingRequest): Permit | undefined;
  stop(): void;
}

interface Incomplete extends IncomingRequest {
  since: number;
}

const sweepMs = 1000;

/** The incomplete requests, by connection. When there are too many, the connection with the most loses its oldest. */
function createArrivals(limit: number, report: (count: number) => void) {
  // In order of arrival, so that a sweep stops at the first request that still has time.
  const all = new Set<Incomplete>();
  const byPeer = new Map<string, Set<Incomplete>>();
  const remove = (one: Incomplete): void => {
    if (!all.delete(one)) return;
    const own = byPeer.get(one.peer);
    own?.delete(one);
    if (own?.size === 0) byPeer.delete(one.peer);
    report(all.size);
  };
  const largest = (): Set<Incomplete> =>
    [...byPeer.values()].reduce((most, own) => (own.size > most.size ? own : most), new Set());
  // A connection that already holds the maximum may not evict others.
  const hasRoom = (peer: string): boolean => all.size < limit || (byPeer.get(peer)?.size ?? 0) + 1 < largest().size;
  const makeRoom = (): void => {
    const [oldest] = largest();
    if (all.size < limit || oldest === undefined) return;
    remove(oldest);
    oldest.evict('displaced');
  };
  const add = (request: IncomingRequest): Incomplete | undefined => {
    if (!hasRoom(request.peer)) return undefined;
    makeRoom();
    const one = { ...request, since: performance.now() };
    all.add(one);
    byPeer.set(one.peer, (byPeer.get(one.peer) ?? new Set()).add(one));
    report(all.size);
    return one;
  };
  const evictBefore = (time: number): void => {
    for (const one of all) {
      if (one.since > time) return;
      remove(one);
      one.evict('late');
    }
  };
  return { hasRoom, add, remove, evictBefore };
}

export function createConcurrencyLimiter(
  { unfinishedCalls, openStreams, incompleteRequests, requestMs }: Capacity,
  report: (kind: PermitKind, count: number) => void,
): ConcurrencyLimiter {
  const limits = { calls: unfinishedCalls, streams: openStreams };
  const counts = { calls: 0, streams: 0 };
  const kindOf = ({ stream }: { stream: boolean }): keyof typeof counts => (stream ? 'streams' : 'calls');
  const isFull = (kind: keyof typeof counts): boolean => counts[kind] >= limits[kind];
  const change = (kind: keyof typeof counts, by: 1 | -1): void => {
    counts[kind] += by;
    report(kind, counts[kind]);
  };
  const arrivals = createArrivals(incompleteRequests, (count) => report('incomplete', count));
  const timer = setInterval(
    () => arrivals.evictBefore(performance.now() - requestMs),
    Math.min(sweepMs, requestMs),
  ).unref();

  const acquire: ConcurrencyLimiter['acquire'] = (request) => {
    const kind = kindOf(request);
    if (isFull(kind)) return undefined;
    const arriving = request.whole ? undefined : arrivals.add(request);
    if (arriving === undefined && !request.whole) return undefined;
    let state: 'arriving' | 'running' | 'over' = 'arriving';
    const permit: Permit = {
      complete: () => {
        if (state !== 'arriving') return true;
        if (arriving !== undefined) arrivals.remove(arriving);
        state = isFull(kind) ? 'over' : 'running';
        if (state === 'running') change(kind, 1);
        return state === 'running';
      },
      release: () => {
        if (state === 'arriving' && arriving !== undefined) arrivals.remove(arriving);
        else if (state === 'running') change(kind, -1);
        state = 'over';
      },
    };
    if (request.whole) permit.complete();
    return permit;
  };
  return {
    hasRoom: (call) => !isFull(kindOf(call)) && (call.whole || arrivals.hasRoom(call.peer)),
    acquire,
    stop: () => clearInterval(timer),
  };
}

/** A limiter that shows the capacity and its use in metrics. Defaults: `defaultCapacity`. */
export function openConcurrencyLimiter(metrics: Metrics, given: Partial<Capacity> = {}): ConcurrencyLimiter {
  const capacity = { ...defaultCapacity, ...given };
  const limit = metrics.gauge(
    'grpc_server_capacity',
    'Calls, streams and incomplete requests that are let in at the same time; more are refused with OVERLOADED.',
    ['kind'],
  );
  limit.set({ kind: 'calls' }, capacity.unfinishedCalls);
  limit.set({ kind: 'streams' }, capacity.openStreams);
  limit.set({ kind: 'incomplete' }, capacity.incompleteRequests);
  const admitted = metrics.gauge(
    'grpc_server_admitted',
    'Calls, streams and incomplete requests that are in at the moment.',
    ['kind'],
  );
  return createConcurrencyLimiter(capacity, (kind, count) => admitted.set({ kind }, count));
}
