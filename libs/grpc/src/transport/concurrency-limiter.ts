import type { Metrics } from '#libs/runtime';
import { arrived, createArrivals, type IncomingRequest } from './arrivals.ts';

export type { Eviction } from './arrivals.ts';

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
  /** The request is complete. Returns false when it has been evicted, or there is no room for it any more. */
  complete(): boolean;
  /** The call is over. */
  release(): void;
}

/** Gives out permits up to the capacity. Calls beyond it are refused, because a queue would delay all calls. */
export interface ConcurrencyLimiter {
  /** Whether the call would get a permit now. */
  hasRoom(call: Omit<IncomingRequest, 'evict'>): boolean;
  /** undefined when there is no room. */
  acquire(call: IncomingRequest): Permit | undefined;
  stop(): void;
}

const sweepMs = 1000;

export function createConcurrencyLimiter(
  capacity: Capacity,
  report: (kind: PermitKind, count: number) => void,
): ConcurrencyLimiter {
  const { requestMs } = capacity;
  const limits = { calls: capacity.unfinishedCalls, streams: capacity.openStreams };
  const counts = { calls: 0, streams: 0 };
  const kindOf = ({ stream }: { stream: boolean }): keyof typeof counts => (stream ? 'streams' : 'calls');
  const isFull = (kind: keyof typeof counts): boolean => counts[kind] >= limits[kind];
  const change = (kind: keyof typeof counts, by: 1 | -1): void => {
    counts[kind] += by;
    report(kind, counts[kind]);
  };
  const arrivals = createArrivals(capacity, report);
  const timer = setInterval(
    () => arrivals.evictBefore(performance.now() - requestMs),
    Math.min(sweepMs, requestMs),
  ).unref();

  const acquire: ConcurrencyLimiter['acquire'] = (request) => {
    const kind = kindOf(request);
    if (isFull(kind)) return undefined;
    const arrival = request.whole ? arrived : arrivals.add(request);
    if (arrival === undefined) return undefined;
    let state: 'arriving' | 'running' | 'over' = 'arriving';
    const permit: Permit = {
      receive: arrival.receive,
      complete: () => {
        if (state !== 'arriving') return state === 'running';
        state = arrival.complete() && !isFull(kind) ? 'running' : 'over';
        if (state === 'running') change(kind, 1);
        return state === 'running';
      },
      release: () => {
        if (state === 'running') change(kind, -1);
        state = 'over';
        arrival.leave();
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
