import type { Logger, Metrics } from '#libs/runtime';
import {
  unlimited,
  createConnectionLimiter,
  type ConnectionLimiter,
  type ConnectionLimits,
} from './connection-limits.ts';
import type { ConnectionsOptions } from './connections.ts';
import type { HandshakesOptions } from './handshakes.ts';
import type { ListenerOptions } from './listener.ts';
import { createRangeCheck } from './peer-address.ts';
import { createPeers } from './peers.ts';
import { createTokenBucket } from './token-bucket.ts';

/** The limits of a peer. Trusted proxies have none, because they carry the calls of many clients. */
export interface PeerLimits extends ConnectionLimits {
  /** Open connections of one address. */
  connectionsPerPeer: number;
  /** New connections of one address; in a burst, as many as may be open. */
  connectionsPerSecond: number;
}

/** More than a process can serve, and more than well-behaved clients need. */
export const defaultPeerLimits: PeerLimits = {
  connectionsPerPeer: 500,
  connectionsPerSecond: 100,
  streamsPerSecond: 10_000,
  resetsPerSecond: 1000,
};

export interface PeerGuardOptions {
  /** CIDR ranges of the proxies whose x-forwarded-for is trusted. */
  trustedProxies: readonly string[];
  /** Defaults: `defaultPeerLimits`. */
  peerLimits?: Partial<PeerLimits> | undefined;
  logger: Logger;
  metrics: Metrics;
}

interface PeerGuard {
  listener: Pick<ListenerOptions, 'peers' | 'onRefused'>;
  handshakes: Pick<HandshakesOptions, 'onServed' | 'onFailed'>;
  connections: Pick<ConnectionsOptions, 'limiterOf' | 'onDisconnected' | 'onReset' | 'onBroken' | 'onUnseen'>;
  stop(): void;
}

/** The rate of log lines about faulty connections. The metrics count all of them. */
const reports = { perSecond: 10, burst: 100 };

/**
 * Twenty beats a second would be most of what an idle process does, so it beats slowly when no stream has begun for a
 * moment.
 */
const beat = { busyMs: 50, idleMs: 1000, idleAfterMs: 200 };
const held = { lateMs: 50, forMs: 1000 };

interface Pulse {
  /** A client began a stream. */
  noteStream: () => void;
  wasHeldUp: () => boolean;
  stop: () => void;
}

/** Notices pauses of this process: it was stopped, or the machine was busy. */
function watchPulse(): Pulse {
  let until = 0;
  let streamAt = -Infinity;
  let pauseMs = beat.busyMs;
  let dueAt = performance.now() + pauseMs;
  const next = (now: number): void => {
    pauseMs = now - streamAt < beat.idleAfterMs ? beat.busyMs : beat.idleMs;
    dueAt = now + pauseMs;
    timer = setTimeout(onBeat, pauseMs).unref();
  };
  const onBeat = (): void => {
    const now = performance.now();
    if (now - dueAt > held.lateMs) until = now + held.forMs;
    next(now);
  };
  let timer = setTimeout(onBeat, pauseMs).unref();
  return {
    noteStream: () => {
      streamAt = performance.now();
      if (pauseMs === beat.busyMs) return;
      clearTimeout(timer);
      onBeat();
    },
    wasHeldUp: () => performance.now() < until,
    stop: () => clearTimeout(timer),
  };
}

function guardMetrics(metrics: Metrics) {
  return {
    refused: metrics.counter(
      'grpc_server_refused_connections_total',
      'Connections that were closed at once: too_many or too_fast of one peer, or throttled after one of its connections was disconnected.',
      ['reason'],
    ),
    disconnected: metrics.counter(
      'grpc_server_disconnected_connections_total',
      'Connections that were ended because they exceeded a limit: streams or resets.',
      ['reason'],
    ),
    broken: metrics.counter(
      'grpc_server_broken_connections_total',
      'Connections that ended because their clients broke HTTP/2: not_http2, continuations (too many of one header block), protocol (anything else, a header field of more than 64 KiB for instance).',
      ['reason'],
    ),
    served: metrics.counter('grpc_server_connections_total', 'Connections that were served, by TLS or in plaintext.', [
      'security',
    ]),
    failed: metrics.counter(
      'grpc_server_failed_handshakes_total',
      'Connections that were refused before they were secured: plaintext (the client speaks no TLS), certificate (one side does not believe the certificate of the other), aborted (the client left; most libraries do when they do not believe the certificate), timeout, protocol (anything else).',
      ['reason'],
    ),
    unseen: metrics.counter(
      'grpc_server_unseen_streams_total',
      'Streams that were reset before a call could be made of them: malformed headers, or more than the advertised 64 KiB. A client that passes over numbers of streams adds to it too.',
    ),
    resets: metrics.counter(
      'grpc_server_resets_total',
      'Streams that clients gave up within a second, before their answer.',
    ),
  };
}

function limitConnection(limits: ConnectionLimits, pulse: Pulse): ConnectionLimiter {
  const { begin, reset } = createConnectionLimiter(limits, pulse.wasHeldUp);
  return {
    begin: () => {
      pulse.noteStream();
      return begin();
    },
    reset,
  };
}

/** Enforces the limits of every peer, with metrics and log lines. */
export function openGuard({ trustedProxies, peerLimits, logger, metrics }: PeerGuardOptions): PeerGuard {
  const limits = { ...defaultPeerLimits, ...peerLimits };
  const { refused, disconnected, resets, broken, unseen, served, failed } = guardMetrics(metrics);
  const lines = createTokenBucket(reports);
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
    handshakes: {
      onServed: (security) => served.inc({ security }),
      onFailed: (peer, reason, message) => {
        failed.inc({ reason });
        if (lines.take()) logger.warn({ peer, reason, message }, 'connection refused: it was not secured');
      },
    },
    connections: {
      limiterOf: (address) => (peers.isExempt(address) ? unlimited : limitConnection(limits, pulse)),
      onDisconnected: (peer, reason) => {
        disconnected.inc({ reason });
        peers.throttle(peer);
        logger.warn({ peer, reason }, 'connection ended: its client exceeded a limit');
      },
      onReset: () => resets.inc(),
      onBroken: (peer, reason, message) => {
        broken.inc({ reason });
        if (lines.take()) logger.warn({ peer, reason, message }, 'connection ended: its client broke the protocol');
      },
      onUnseen: (peer, count) => {
        unseen.inc(count);
        if (lines.take()) logger.warn({ peer, count }, 'streams reset: their headers are malformed or too large');
      },
    },
    stop: () => {
      peers.stop();
      pulse.stop();
    },
  };
}
