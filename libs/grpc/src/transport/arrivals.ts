/** Why an incomplete request is evicted: it takes too long, or others need its place. */
export type Eviction = 'late' | 'displaced';

export interface IncomingRequest {
  stream: boolean;
  /** The address and port of its connection. */
  peer: string;
  /** The request is already complete and takes its place at once, so that no two requests get the same place. */
  whole: boolean;
  /** Called when the request is evicted. */
  evict: (why: Eviction) => void;
}

/** A request that arrives. */
export interface Arrival {
  /** A piece of it is here. Returns whether it is still wanted. */
  receive(bytes: number): boolean;
  /** It is complete. Returns false when it has been evicted. */
  complete(): boolean;
  /** Nothing of it is needed any more. */
  leave(): void;
}

/** A request that came in one piece. */
export const arrived: Arrival = { receive: () => true, complete: () => true, leave: () => undefined };

interface Incomplete extends IncomingRequest {
  since: number;
  /** What has arrived of it. */
  bytes: number;
}

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
    free: (request: Incomplete): void => change(request, -request.bytes),
    total: () => total,
    of: (peer: string): number => byPeer.get(peer) ?? 0,
  };
}

const largestOf = <One>(all: Iterable<One>, sizeOf: (one: One) => number): One | undefined => {
  let largest: One | undefined;
  for (const one of all) if (largest === undefined || sizeOf(one) > sizeOf(largest)) largest = one;
  return largest;
};

/** The largest request of the connection that holds most. */
const heaviestOf = (
  byPeer: ReadonlyMap<string, ReadonlySet<Incomplete>>,
  heldBy: (peer: string) => number,
): Incomplete | undefined => largestOf(byPeer.get(largestOf(byPeer.keys(), heldBy) ?? '') ?? [], ({ bytes }) => bytes);

/** The incomplete requests, by connection. When there are too many, the connection with the most loses its oldest. */
export function createArrivals(
  { incompleteRequests: limit, requestBytes }: { incompleteRequests: number; requestBytes: number },
  reportAs: (kind: 'incomplete' | 'bytes', count: number) => void,
) {
  const held = createHeldBytes((bytes) => reportAs('bytes', bytes));
  // In order of arrival, so that a sweep stops at the first request that still has time.
  const all = new Set<Incomplete>();
  const byPeer = new Map<string, Set<Incomplete>>();
  /** Returns whether it was there. */
  const remove = (one: Incomplete): boolean => {
    if (!all.delete(one)) return false;
    const own = byPeer.get(one.peer);
    own?.delete(one);
    if (own?.size === 0) byPeer.delete(one.peer);
    reportAs('incomplete', all.size);
    return true;
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
  const evictBefore = (time: number): void => {
    for (const one of all) {
      if (one.since > time) return;
      remove(one);
      one.evict('late');
    }
  };
  const receive = (one: Incomplete, bytes: number): boolean => {
    if (!all.has(one)) return false;
    held.change(one, bytes);
    while (held.total() > requestBytes) {
      const evicted = heaviestOf(byPeer, held.of);
      if (evicted === undefined) break;
      remove(evicted);
      held.free(evicted);
      evicted.evict('displaced');
    }
    return all.has(one);
  };
  const add = (request: IncomingRequest): Arrival | undefined => {
    if (!hasRoom(request.peer)) return undefined;
    makeRoom();
    const one = { ...request, since: performance.now(), bytes: 0 };
    all.add(one);
    byPeer.set(one.peer, (byPeer.get(one.peer) ?? new Set()).add(one));
    reportAs('incomplete', all.size);
    const leave = (): void => {
      remove(one);
      held.free(one);
    };
    return { receive: (bytes) => receive(one, bytes), complete: () => remove(one), leave };
  };
  return { hasRoom, add, evictBefore };
}
