import { Server, setLogger } from '@grpc/grpc-js';
import type { ServiceName } from '#libs/contract';
import { AppError } from '#libs/errors';
import type { Certificates } from '#libs/runtime';
import { addReflection } from '../builtin/reflection-service.ts';
import { openConcurrencyLimiter, type Capacity } from '../transport/concurrency-limiter.ts';
import type { ServiceBinding } from './binding.ts';
import { chain } from '../interceptors/chain.ts';
import { openConnections, type Connections } from '../transport/connections.ts';
import { createHealth, type Health, type HealthOptions } from '../builtin/health.ts';
import { interceptors, type InterceptorOptions } from '../interceptors/interceptors.ts';
import { addMethod } from './method-handler.ts';
import { createOpenCalls, type OpenCalls } from '../transport/open-calls.ts';
import { openHandshakes, type Handshakes } from '../transport/handshakes.ts';
import { listen, type Listener, type ListenerOptions } from '../transport/listener.ts';
import { rejectEarly } from '../transport/early-rejection.ts';
import { refuseFaulty } from '../transport/refuse-faulty.ts';
import { createPeerResolver } from '../transport/peer-address.ts';
import { openGuard, type PeerGuardOptions } from '../transport/peer-guard.ts';
import { countRefusals, createRefusalLog } from '../transport/refusal-log.ts';
import type { IncomingStreamsOptions } from '../transport/incoming-streams.ts';
import { transportEdge } from '../transport/transport-edge.ts';
import { methodsOf } from '../wire/grpc-js-internals.ts';

export interface ServerOptions
  extends InterceptorOptions, PeerGuardOptions, Pick<HealthOptions, 'checks'>, Pick<ListenerOptions, 'host' | 'port'> {
  service: ServiceName;
  bindings: readonly ServiceBinding[];
  /** How long running calls may go on after `stop`. */
  graceMs: number;
  /** Default: plaintext. */
  certificates?: Certificates | undefined;
  /** Defaults: `defaultCapacity`. */
  capacity?: Partial<Capacity> | undefined;
  /** About after this time a connection ends, so that its client resolves the name again. Default: 5 min. */
  connectionAgeMs?: number | undefined;
  /** How long calls may go on after that. Default: 1 min. */
  connectionGraceMs?: number;
}

export interface GrpcServer extends Pick<Health, 'setServing' | 'isServing'> {
  readonly port: number;
  /** Refuses new calls, ends streams, and ends the other calls when the grace period is over. */
  stop(): Promise<void>;
}

/** The limit for requests and for answers. */
export const maxMessageBytes = 4 * 1024 * 1024;

const transportOptions = {
  // channelz records every call, and nothing reads its records.
  'grpc.enable_channelz': 0,
  // Megabytes of one connection in this process, unread answers for instance. By default grpc-js has no limit.
  'grpc-node.max_session_memory': 64,
  'grpc.max_receive_message_length': maxMessageBytes,
  // Per connection. By default grpc-js has no limit.
  'grpc.max_concurrent_streams': 1000,
  // Detects dead clients.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

function shuttingDown(message: string): AppError {
  return new AppError('unavailable', 'SHUTTING_DOWN', message, { details: { retryAfterMs: 0 } });
}

const connectionAged = (): AppError =>
  shuttingDown('the connection has reached its age; on a new one the call can go on');

interface Drainable {
  server: Server;
  listener: Listener;
  handshakes: Handshakes;
  connections: Connections;
  openCalls: OpenCalls;
}

/**
 * Waits for the listener: a connection has ended when its socket has. grpc-js counts it as ended when it has sent GOAWAY,
 * and never when its client reset it at that moment.
 */
async function drain(
  { server, listener, handshakes, connections, openCalls }: Drainable,
  graceMs: number,
): Promise<void> {
  const closed = listener.close();
  handshakes.stop();
  await connections.announceEnd();
  server.tryShutdown(() => undefined);
  const reason = shuttingDown('the server is shutting down');
  openCalls.abortStreams(reason);
  const timer = setTimeout(() => openCalls.abortAll(reason), graceMs);
  // Leaves time to send the statuses of the aborted calls.
  const force = setTimeout(connections.destroy, graceMs + 250);
  await closed;
  clearTimeout(timer);
  clearTimeout(force);
}

/** Starts a gRPC server with the given services, health and reflection. Throws runtime's PortTakenError. */
export async function startServer(options: ServerOptions): Promise<GrpcServer> {
  const { bindings, host, checks, logger, metrics, graceMs } = options;
  // Clients resolve a name again only when a connection ends, so connections end regularly.
  const { connectionAgeMs: ageMs = 300_000, connectionGraceMs = 60_000 } = options;
  // By default grpc-js writes to stderr. Errors that matter also arrive as errors.
  setLogger({ error: (text: unknown) => logger.debug({ text }, 'grpc-js reported') });
  const openCalls = createOpenCalls();
  const methods = bindings.flatMap((binding) => binding.methods);
  const kinds = new Map(methods.map(({ definition }) => [definition.path, definition.responseStream]));
  const limiter = openConcurrencyLimiter(metrics, options.capacity);
  const refusals = createRefusalLog(logger);
  const record = countRefusals(metrics, refusals);
  const edge = transportEdge({ isChained: (path) => kinds.has(path), openCalls, limiter, maxMessageBytes, record });
  const server = new Server({ ...transportOptions, interceptors: [edge] });

  const run = chain(interceptors(options));
  const resolvePeer = createPeerResolver(options.trustedProxies);
  const certificateOf = (peer: string) => connections.certificateOf(peer);
  for (const method of methods) addMethod(server, method, { run, resolvePeer, certificateOf, openCalls, logger });
  const services = bindings.map(({ service }) => service);
  addReflection(server, services);
  const health = createHealth(server, { services, checks, logger });
  const guard = openGuard(options);
  const known = methodsOf(server);
  const rejectFaulty = refuseFaulty({ isKnown: (path) => known.has(path), record });
  const rejectOverload = rejectEarly({ isStream: (path) => kinds.get(path), limiter, record });
  const refuse: IncomingStreamsOptions['refuse'] = (...call) => rejectFaulty(...call) || rejectOverload(...call);
  const connections = openConnections(server, {
    ageMs,
    graceMs: connectionGraceMs,
    ...guard.connections,
    refuse,
    endCalls: (peer) => openCalls.abortPeer(peer, connectionAged()),
  });
  const { certificates } = options;
  const handshakes = openHandshakes({ certificates, accept: connections.accept, ...guard.handshakes });
  const listener = await listen(handshakes.begin, { host, port: options.port, ...guard.listener }).catch(
    (error: unknown) => {
      server.forceShutdown();
      throw error;
    },
  );
  health.start();

  return {
    port: listener.port,
    setServing: health.setServing,
    isServing: health.isServing,
    stop: async () => {
      health.stop();
      await drain({ server, listener, handshakes, connections, openCalls }, graceMs);
      connections.stop();
      limiter.stop();
      guard.stop();
      refusals.stop();
    },
  };
}
