import type { Logger, Metrics } from '#libs/runtime';
import { anyConduct, createConduct, type ConductLimits } from './conduct.ts';
import type { ConnectionsOptions } from './connections.ts';
import type { ListenerOptions } from './listener.ts';
import { createRangeCheck } from './peer-address.ts';
import { createPeers } from './peers.ts';

/** How much a server puts up with from a peer. Trusted proxies are excepted: they hand on what many clients do. */
export interface PeerLimits extends ConductLimits {
  /** Connections of one address at the same time. */
  connectionsPerPeer: number;
  /** New connections of one address; as many at a time as may be open. */
  connectionsPerSecond: number;
}

/** More than a process can serve, or than clients do that mean no harm. */
export const defaultPeerLimits: PeerLimits = { connectionsPerPeer: 500, connectionsPerSecond: 100, streamsPerSecond: 10_000, resetsPerSecond: 1000 };

export interface PeerGuardOptions {
  /** CIDR ranges. */
  trustedProxies: readonly string[];
  peerLimits?: Partial<PeerLimits>;
  logger: Logger;
  metrics: Metrics;
}

export interface PeerGuard {
  listener: Pick<ListenerOptions, 'peers' | 'onRefused'>;
  connections: Pick<ConnectionsOptions, 'conductOf' | 'onExpelled' | 'onReset'>;
  stop(): void;
}

const beatMs = 50;
const held = { afterMs: 100, forMs: 1000 };

/** Notices when this process did not run for a while: it was stopped, or the machine was busy. */
function watchPulse(): { wasHeldUp: () => boolean; stop: () => void } {
  let last = performance.now();
  let until = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - last > held.afterMs) until = now + held.forMs;
    last = now;
  }, beatMs).unref();
  return { wasHeldUp: () => performance.now() < until, stop: () => clearInterval(timer) };
}

function guardMetrics(metrics: Metrics) {
  return {
    refused: metrics.counter('grpc_server_refused_connections_total', 'Connections that were closed at once: too_many or too_fast of one peer, or of one that had to be stopped before (penalty).', ['reason']),
    expelled: metrics.counter('grpc_server_expelled_connections_total', 'Connections that were ended because of too many streams or resets.', ['reason']),
    resets: metrics.counter('grpc_server_resets_total', 'Streams that clients gave up within a second, before their answer.'),
  };
}

/** Holds every peer to its limits, and shows what came of it. */
export function openGuard({ trustedProxies, peerLimits, logger, metrics }: PeerGuardOptions): PeerGuard {
  const limits = { ...defaultPeerLimits, ...peerLimits };
  const { refused, expelled, resets } = guardMetrics(metrics);
  const peers = createPeers({ ...limits, isExempt: createRangeCheck(trustedProxies) });
  const pulse = watchPulse();
  return {
    listener: {
      peers,
      onRefused: (peer, reason) => {
        refused.inc({ reason });
        logger.debug({ peer, reason }, 'connection refused');
      },
    },
    connections: {
      conductOf: (address) => (peers.isExempt(address) ? anyConduct : createConduct(limits, pulse.wasHeldUp)),
      onExpelled: (peer, reason) => {
        expelled.inc({ reason });
        peers.penalize(peer);
        logger.warn({ peer, reason }, 'connection ended: its client did too much of this');
      },
      onReset: () => resets.inc(),
    },
    stop: () => {
      peers.stop();
      pulse.stop();
    },
  };
}
