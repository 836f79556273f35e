/** How much a server takes on at the same time. */
export interface Capacity {
  /** Calls with one answer, from the arrival of their request to their status. */
  unfinishedCalls: number;
  /** Calls with a stream of answers. */
  openStreams: number;
  /** Calls of which the request has not arrived as a whole. */
  incompleteRequests: number;
  /** How long a client may take to send its request. */
  requestMs: number;
}

export const defaultCapacity: Capacity = { unfinishedCalls: 500, openStreams: 10_000, incompleteRequests: 1000, requestMs: 10_000 };

/** What is counted by itself. */
export type AdmittedKind = 'calls' | 'streams' | 'incomplete';

/** A call that was let in. */
export interface Ticket {
  /** The request is there as a whole. False: there is no room for it any more. */
  complete(): boolean;
  /** The call is over. */
  leave(): void;
}

/** Why a request that is not there is waited for no longer: it takes too long, or others need the place. */
export type Expulsion = 'late' | 'crowded';

export interface Newcomer {
  stream: boolean;
  /** Whose connection it comes on. */
  peer: string;
  /** Its request is there already, so it takes its place at once: those who come in the same moment must not all find it free. */
  whole: boolean;
  /** Called when its request is waited for no longer. */
  expel: (why: Expulsion) => void;
}

/** Lets in as many calls as the capacity allows; what is beyond it is refused at once, since waiting would help nobody. */
export interface Admission {
  /** Whether such a call could enter now. */
  hasRoom(call: Omit<Newcomer, 'expel'>): boolean;
  /** undefined: there is no room. */
  enter(call: Newcomer): Ticket | undefined;
  stop(): void;
}

interface Incomplete extends Newcomer {
  since: number;
}

const sweepMs = 1000;

/** The requests that are still arriving, by connection. When there are too many, the connection that has most gives way. */
function createArrivals(limit: number, report: (count: number) => void) {
  // In the order of their arrival, so that a sweep ends at the first that still has time.
  const all = new Set<Incomplete>();
  const byPeer = new Map<string, Set<Incomplete>>();
  const remove = (one: Incomplete): void => {
    if (!all.delete(one)) return;
    const own = byPeer.get(one.peer);
    own?.delete(one);
    if (own?.size === 0) byPeer.delete(one.peer);
    report(all.size);
  };
  const largest = (): Set<Incomplete> => [...byPeer.values()].reduce((most, own) => (own.size > most.size ? own : most), new Set());
  // Whoever has as many as anybody is one of those that take up the room.
  const hasRoom = (peer: string): boolean => all.size < limit || (byPeer.get(peer)?.size ?? 0) + 1 < largest().size;
  const makeRoom = (): void => {
    const [oldest] = largest();
    if (all.size < limit || oldest === undefined) return;
    remove(oldest);
    oldest.expel('crowded');
  };
  const add = (newcomer: Newcomer): Incomplete | undefined => {
    if (!hasRoom(newcomer.peer)) return undefined;
    makeRoom();
    const one = { ...newcomer, since: performance.now() };
    all.add(one);
    byPeer.set(one.peer, (byPeer.get(one.peer) ?? new Set()).add(one));
    report(all.size);
    return one;
  };
  const expelBefore = (time: number): void => {
    for (const one of all) {
      if (one.since > time) return;
      remove(one);
      one.expel('late');
    }
  };
  return { hasRoom, add, remove, expelBefore };
}

export function createAdmission({ unfinishedCalls, openStreams, incompleteRequests, requestMs }: Capacity, report: (kind: AdmittedKind, count: number) => void): Admission {
  const limits = { calls: unfinishedCalls, streams: openStreams };
  const counts = { calls: 0, streams: 0 };
  const kindOf = ({ stream }: { stream: boolean }): keyof typeof counts => (stream ? 'streams' : 'calls');
  const isFull = (kind: keyof typeof counts): boolean => counts[kind] >= limits[kind];
  const change = (kind: keyof typeof counts, by: 1 | -1): void => {
    counts[kind] += by;
    report(kind, counts[kind]);
  };
  const arrivals = createArrivals(incompleteRequests, (count) => report('incomplete', count));
  const timer = setInterval(() => arrivals.expelBefore(performance.now() - requestMs), Math.min(sweepMs, requestMs)).unref();

  const enter: Admission['enter'] = (newcomer) => {
    const kind = kindOf(newcomer);
    if (isFull(kind)) return undefined;
    const arriving = newcomer.whole ? undefined : arrivals.add(newcomer);
    if (arriving === undefined && !newcomer.whole) return undefined;
    let state: 'arriving' | 'running' | 'over' = 'arriving';
    const ticket: Ticket = {
      complete: () => {
        if (state !== 'arriving') return true;
        if (arriving !== undefined) arrivals.remove(arriving);
        state = isFull(kind) ? 'over' : 'running';
        if (state === 'running') change(kind, 1);
        return state === 'running';
      },
      leave: () => {
        if (state === 'arriving' && arriving !== undefined) arrivals.remove(arriving);
        else if (state === 'running') change(kind, -1);
        state = 'over';
      },
    };
    if (newcomer.whole) ticket.complete();
    return ticket;
  };
  return { hasRoom: (call) => !isFull(kindOf(call)) && (call.whole || arrivals.hasRoom(call.peer)), enter, stop: () => clearInterval(timer) };
}
