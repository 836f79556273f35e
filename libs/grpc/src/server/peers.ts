import { toPeerNetwork } from '#libs/runtime';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

export interface PeersOptions {
  /** Open at the same time. */
  connectionsPerPeer: number;
  /** New ones; as many at a time as may be open. */
  connectionsPerSecond: number;
  /** Addresses that speak for many peers and may have as many connections as they like. */
  isExempt: (address: string) => boolean;
}

/** Why a connection is not taken. */
export type ConnectionRefusal = 'too_many' | 'too_fast' | 'penalty';

/** Who is connected: an address, or the /64 of an IPv6 address. */
export interface Peers {
  /** Counts the connection, unless it tells why it is not to be taken. Each that was counted leaves by `leave`. */
  enter(address: string): ConnectionRefusal | undefined;
  leave(address: string): void;
  /** A connection of this address had to be ended. What it has open stays; new ones come slowly for a while. */
  penalize(address: string): void;
  isExempt(address: string): boolean;
  stop(): void;
}

interface Peer {
  open: number;
  pace: TokenBucket;
  penalty?: { until: number; pace: TokenBucket };
  lastSeen: number;
}

/**
 * A peer that had to be stopped would come back at once and begin anew. Others behind the same address (a mesh that is not
 * named as a trusted proxy, a translating router) keep their connections, and with the backoff of every gRPC client they get
 * new ones.
 */
const penalty = { ms: 10_000, pace: { perSecond: 1, burst: 1 } };

/** The first new one has to wait, too. */
function slowPace(): TokenBucket {
  const pace = createTokenBucket(penalty.pace);
  pace.take();
  return pace;
}

/** Longer than it takes for a penalty to pass. */
const forgetMs = 30_000;

export function createPeers({ connectionsPerPeer, connectionsPerSecond, isExempt }: PeersOptions): Peers {
  const peers = new Map<string, Peer>();
  const peerOf = (address: string): Peer => {
    const key = toPeerNetwork(address);
    const known = peers.get(key) ?? { open: 0, pace: createTokenBucket({ perSecond: connectionsPerSecond, burst: connectionsPerPeer }), lastSeen: 0 };
    peers.set(key, known);
    known.lastSeen = performance.now();
    return known;
  };
  const refusalOf = (peer: Peer): ConnectionRefusal | undefined => {
    if (peer.open >= connectionsPerPeer) return 'too_many';
    if (peer.penalty !== undefined && peer.penalty.until > performance.now() && !peer.penalty.pace.take()) return 'penalty';
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
    penalize: (address) => {
      if (isExempt(address)) return;
      const peer = peerOf(address);
      peer.penalty = { until: performance.now() + penalty.ms, pace: peer.penalty?.pace ?? slowPace() };
    },
    isExempt,
    stop: () => clearInterval(timer),
  };
}
