import type { Metrics } from '#libs/runtime';

/** How much a server handles at the same time. */
export interface Capacity {
  /** Unary calls, from the arrival of their request to their status. */
  unfinishedCalls: number;
  /** Calls that answer with a stream. */
  openStreams: number;
  /** Calls whose request has not arrived completely. */
  incompleteRequests: number;
  /** Bytes of the requests that arrived in several pieces, until their calls are over. */
  requestBytes: number;
  /** How long a client may take to send its request. */
  requestMs: number;
}

export const defaultCapacity: Capacity = {
  unfinishedCalls: 500,
  openStreams: 10_000,
  incompleteRequests: 1000,
  requestBytes: 64 * 1024 * 1024,
  requestMs: 10_000,
};

/** The kinds of places that are counted. */
type PermitKind = 'calls' | 'streams' | 'incomplete' | 'bytes';

/** The place of a call that may run. */
export interface Permit {
  /**
   * A piece of the request has arrived. Evicts requests of the connection that holds most while there is too much. Returns
   * whether this one is still wanted.
   */
  receive(bytes: number): boolean;
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
  /** What has arrived of it. */
  bytes: number;
}

const sweepMs = 1000;

/** The bytes of requests, by connection. */
function createHeldBytes(report: (bytes: number) => void) {
  const byPeer = new Map<string, number>();
  let total = 0;
  const change = (request: Incomplete, by: number): void => {
    if (by === 0) return;
    const held = (byPeer.get(request.peer) ?? 0) + by;
    if (held > 0) byPeer.set(request.peer, held);
    else byPeer.delete(request.peer);
    request.bytes += by;
    report((total += by));
  };
  return {
    change,
    total: () => total,
    of: (peer: string): number => byPeer.get(peer) ?? 0,
  };
}

const largestOf = <One>(all: Iterable<One>, sizeOf: (one: One) => number): One | undefined => {
  let largest: One | undefined;
  for (const one of all) if (largest === undefined || sizeOf(one) > sizeOf(largest)) largest = one;
  return largest;
};

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
  const largest = (): Set<Incomplete> => largestOf(byPeer.values(), ({ size }) => size) ?? new Set();
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
    const one = { ...request, since: performance.now(), bytes: 0 };
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
  /** The largest request of the connection that holds most. */
  const heaviest = (heldBy: (peer: string) => number): Incomplete | undefined =>
    largestOf(byPeer.get(largestOf(byPeer.keys(), heldBy) ?? '') ?? [], ({ bytes }) => bytes);
  return { hasRoom, add, remove, has: (one: Incomplete) => all.has(one), evictBefore, heaviest };
}

export function createConcurrencyLimiter(
  { unfinishedCalls, openStreams, incompleteRequests, requestBytes, requestMs }: Capacity,
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

  const held = createHeldBytes((bytes) => report('bytes', bytes));
  const receive = (request: Incomplete, bytes: number): boolean => {
    if (!arrivals.has(request)) return false;
    held.change(request, bytes);
    while (held.total() > requestBytes) {
      const evicted = arrivals.heaviest(held.of);
      if (evicted === undefined) break;
      arrivals.remove(evicted);
      held.change(evicted, -evicted.bytes);
      evicted.evict('displaced');
    }
    return arrivals.has(request);
  };

  const acquire: ConcurrencyLimiter['acquire'] = (request) => {
    const kind = kindOf(request);
    if (isFull(kind)) return undefined;
    const arriving = request.whole ? undefined : arrivals.add(request);
    if (arriving === undefined && !request.whole) return undefined;
    let state: 'arriving' | 'running' | 'over' = 'arriving';
    const permit: Permit = {
      receive: (bytes) => arriving === undefined || receive(arriving, bytes),
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
        if (arriving !== undefined) held.change(arriving, -arriving.bytes);
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
    'Calls, streams, incomplete requests and their bytes that are let in at once; more are refused with OVERLOADED.',
    ['kind'],
  );
  limit.set({ kind: 'calls' }, capacity.unfinishedCalls);
  limit.set({ kind: 'streams' }, capacity.openStreams);
  limit.set({ kind: 'incomplete' }, capacity.incompleteRequests);
  limit.set({ kind: 'bytes' }, capacity.requestBytes);
  const admitted = metrics.gauge(
    'grpc_server_admitted',
    'Calls, streams, incomplete requests and their bytes that are in at the moment.',
    ['kind'],
  );
  return createConcurrencyLimiter(capacity, (kind, count) => admitted.set({ kind }, count));
}
