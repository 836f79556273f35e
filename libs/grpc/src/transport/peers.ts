import { toPeerNetwork } from '#libs/runtime';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

interface PeersOptions {
  /** Open connections. */
  connectionsPerPeer: number;
  /** New connections; in a burst, as many as may be open. */
  connectionsPerSecond: number;
  /** Whether an address stands for many peers and has no limit. */
  isExempt: (address: string) => boolean;
}

/** Why a connection is refused. */
export type ConnectionRefusal = 'too_many' | 'too_fast' | 'throttled';

/** Counts connections by address, for IPv6 by its /64. */
export interface Peers {
  /** Counts the connection, or returns why it is refused. Call `leave` once for each connection that was counted. */
  enter(address: string): ConnectionRefusal | undefined;
  leave(address: string): void;
  /** Slows down new connections of an address for a while, after one of its connections was ended. */
  throttle(address: string): void;
  isExempt(address: string): boolean;
  stop(): void;
}

interface Peer {
  open: number;
  pace: TokenBucket;
  throttled?: { until: number; pace: TokenBucket };
  lastSeen: number;
}

/**
 * Without throttling a disconnected peer would reconnect at once and go on. Other clients behind the same address (a
 * NAT router, a mesh that is not listed as a trusted proxy) keep their connections, and retry new ones with backoff.
 */
const throttling = { ms: 10_000, pace: { perSecond: 1, burst: 1 } };

/** Begins empty, so that the first new connection waits too. */
function slowPace(): TokenBucket {
  const pace = createTokenBucket(throttling.pace);
  pace.take();
  return pace;
}

/** Longer than an address is throttled. */
const forgetMs = 30_000;

export function createPeers({ connectionsPerPeer, connectionsPerSecond, isExempt }: PeersOptions): Peers {
  const peers = new Map<string, Peer>();
  const peerOf = (address: string): Peer => {
    const key = toPeerNetwork(address);
    const known = peers.get(key) ?? {
      open: 0,
      pace: createTokenBucket({ perSecond: connectionsPerSecond, burst: connectionsPerPeer }),
      lastSeen: 0,
    };
    peers.set(key, known);
    known.lastSeen = performance.now();
    return known;
  };
  const refusalOf = (peer: Peer): ConnectionRefusal | undefined => {
    if (peer.open >= connectionsPerPeer) return 'too_many';
    if (peer.throttled !== undefined && peer.throttled.until > performance.now() && !peer.throttled.pace.take())
      return 'throttled';
    return peer.pace.take() ? undefined : 'too_fast';
  };
  const forget = (): void => {
    const before = performance.now() - forgetMs;
    for (const [key, { open, lastSeen }] of peers) if (open === 0 && lastSeen < before) peers.delete(key);
  };
  const timer = setInterval(forget, forgetMs).unref();
  return {
    enter: (address) => {
      if (isExempt(address)) return undefined;
      const peer = peerOf(address);
      const refusal = refusalOf(peer);
      if (refusal === undefined) peer.open += 1;
      return refusal;
    },
    leave: (address) => {
      if (!isExempt(address)) peerOf(address).open -= 1;
    },
    throttle: (address) => {
      if (isExempt(address)) return;
      const peer = peerOf(address);
      peer.throttled = { until: performance.now() + throttling.ms, pace: peer.throttled?.pace ?? slowPace() };
    },
    isExempt,
    stop: () => clearInterval(timer),
  };
}
