/** How much a server takes on at the same time. */
export interface Capacity {
  /** Calls with one answer, from the arrival of their first byte to their status. */
  unfinishedCalls: number;
  /** Calls with a stream of answers. */
  openStreams: number;
  /** Connections of one address, trusted proxies excepted. */
  connectionsPerPeer: number;
  /** How long a client may take to send its request. */
  requestMs: number;
}

export const defaultCapacity: Capacity = { unfinishedCalls: 500, openStreams: 10_000, connectionsPerPeer: 500, requestMs: 10_000 };

/** A call that was let in. */
export interface Ticket {
  /** The request is there as a whole. */
  complete(): void;
  /** The call is over. */
  leave(): void;
}

/** What is counted by itself. */
export type AdmittedKind = 'calls' | 'streams';

/** Lets in as many calls as the capacity allows; what is beyond it is refused at once, since waiting would help nobody. */
export interface Admission {
  /** undefined: there is no room. `expel` is called when the request does not arrive in time. */
  enter(call: { stream: boolean; expel: () => void }): Ticket | undefined;
  stop(): void;
}

const sweepMs = 1000;

export function createAdmission({ unfinishedCalls, openStreams, requestMs }: Capacity, report: (kind: AdmittedKind, count: number) => void): Admission {
  const counts: Record<AdmittedKind, number> = { calls: 0, streams: 0 };
  const change = (kind: AdmittedKind, by: 1 | -1): void => {
    counts[kind] += by;
    report(kind, counts[kind]);
  };
  // In the order of their arrival, so that a sweep ends at the first that still has time.
  const incomplete = new Map<object, { since: number; expel: () => void }>();
  const sweep = (): void => {
    const before = performance.now() - requestMs;
    for (const [key, { since, expel }] of incomplete) {
      if (since > before) return;
      incomplete.delete(key);
      expel();
    }
  };
  const timer = setInterval(sweep, Math.min(sweepMs, requestMs)).unref();

  const enter: Admission['enter'] = ({ stream, expel }) => {
    const kind = stream ? 'streams' : 'calls';
    if (counts[kind] >= (stream ? openStreams : unfinishedCalls)) return undefined;
    change(kind, 1);
    const key = {};
    incomplete.set(key, { since: performance.now(), expel });
    let left = false;
    return {
      complete: () => void incomplete.delete(key),
      leave: () => {
        if (left) return;
        left = true;
        incomplete.delete(key);
        change(kind, -1);
      },
    };
  };
  return { enter, stop: () => clearInterval(timer) };
}
