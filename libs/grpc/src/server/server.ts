import { Server, setLogger } from '@grpc/grpc-js';
import type { ServiceName } from '#libs/contract';
import { AppError } from '#libs/errors';
import type { Logger, Metrics } from '#libs/runtime';
import type { Authenticator } from '../identity/authenticator.ts';
import type { Revocations } from '../identity/revocations.ts';
import { addReflection } from '../reflection/reflection-service.ts';
import { createAdmission, defaultCapacity, type Admission, type Capacity } from './admission.ts';
import type { ServiceBinding } from './binding.ts';
import { chain, type Interceptor } from './chain.ts';
import { openConnections, type Connections } from './connections.ts';
import { createHealth, type Health } from './health.ts';
import { interceptors } from './interceptors.ts';
import { addMethod } from './method-handler.ts';
import { createOpenCalls, type OpenCalls } from './open-calls.ts';
import { listen, type Listener } from './listener.ts';
import { refuseEarly } from './overloaded.ts';
import { createPeerResolver } from './peer-address.ts';
import { openGuard, type PeerLimits } from './peer-guard.ts';
import { countRefusals, createRefusalLog } from './refusal-log.ts';
import { transportEdge } from './transport-edge.ts';

export interface ServerOptions {
  service: ServiceName;
  /** The address to listen on: "0.0.0.0", "127.0.0.1", "::". */
  host: string;
  /** 0 takes a free one. */
  port: number;
  bindings: readonly ServiceBinding[];
  authenticate: Authenticator;
  /** Sensitive methods refuse while they are stale; left out: never. */
  revocations?: Pick<Revocations, 'isStale'>;
  logger: Logger;
  metrics: Metrics;
  /** CIDR ranges whose x-forwarded-for is believed. */
  trustedProxies: readonly string[];
  /** How long running calls may go on after `stop`. */
  graceMs: number;
  /** The server is SERVING while all of them resolve; they run every second and may take as long. */
  checks: Readonly<Record<string, () => Promise<void>>>;
  /** Refuses calls beyond the rate limit of their method: per peer before they are authenticated, per user after. */
  limit?: Interceptor;
  /** How much it takes on at the same time; what is left out is as in `defaultCapacity`. */
  capacity?: Partial<Capacity>;
  /** How much it puts up with from a peer; what is left out is as in `defaultPeerLimits`. */
  peerLimits?: Partial<PeerLimits>;
  /** After about this time a connection ends once its calls have, so that its client looks up who serves; 5 minutes when left out. */
  connectionAgeMs?: number;
  /** How long calls may go on after that; a minute when left out. */
  connectionGraceMs?: number;
}

export interface GrpcServer {
  readonly port: number;
  /** False makes health say NOT_SERVING whatever the checks say; true lets them decide again. */
  setServing(serving: boolean): void;
  /** What health says at the moment. */
  isServing(): boolean;
  /** Stops taking calls, ends streams, lets the others finish within the grace period, then ends them too. */
  stop(): Promise<void>;
}

/** Of a request, and of an answer. */
export const maxMessageBytes = 4 * 1024 * 1024;

const transportOptions = {
  // Nobody reads what it would note about every call.
  'grpc.enable_channelz': 0,
  // Megabytes that one connection may hold in this process, for instance unread answers; grpc-js sets no limit of its own.
  'grpc-node.max_session_memory': 64,
  'grpc.max_receive_message_length': maxMessageBytes,
  // Per connection; grpc-js sets no limit of its own.
  'grpc.max_concurrent_streams': 1000,
  // Finds dead clients.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

/** Clients look names up again only when a connection ends, so old ones end to let them find new replicas. */
const connectionLife = { ageMs: 300_000, graceMs: 60_000 };

function shuttingDown(): AppError {
  return new AppError('unavailable', 'SHUTTING_DOWN', 'the server is shutting down', { details: { retryAfterMs: 0 } });
}

function connectionAged(): AppError {
  return new AppError('unavailable', 'SHUTTING_DOWN', 'the connection has reached its age; on a new one the call can go on', { details: { retryAfterMs: 0 } });
}

interface Drainable {
  server: Server;
  listener: Listener;
  connections: Connections;
  openCalls: OpenCalls;
}

/** grpc-js takes a connection that it has told to end for one that has ended, so the listener's word counts too. */
async function drain({ server, listener, connections, openCalls }: Drainable, graceMs: number): Promise<void> {
  const closed = listener.close();
  await connections.announceEnd();
  const drained = Promise.all([closed, new Promise<void>((resolve) => server.tryShutdown(() => resolve()))]);
  openCalls.abortStreams(shuttingDown());
  const timer = setTimeout(() => openCalls.abortAll(shuttingDown()), graceMs);
  // The statuses of the aborted calls get a moment to go out.
  const force = setTimeout(connections.destroy, graceMs + 250);
  await drained;
  clearTimeout(timer);
  clearTimeout(force);
}

function addHealth(server: Server, { bindings, checks, logger }: ServerOptions): Health {
  return createHealth(server, { services: bindings.map((binding) => binding.service), checks, logger });
}

function lifeOf({ connectionAgeMs, connectionGraceMs }: ServerOptions): typeof connectionLife {
  return { ageMs: connectionAgeMs ?? connectionLife.ageMs, graceMs: connectionGraceMs ?? connectionLife.graceMs };
}

/** Shows what has been taken on beside what can be. */
function openAdmission(metrics: Metrics, capacity: Capacity): Admission {
  const limit = metrics.gauge('grpc_server_capacity', 'Calls, streams and incomplete requests that are let in at the same time; more are refused with OVERLOADED.', ['kind']);
  limit.set({ kind: 'calls' }, capacity.unfinishedCalls);
  limit.set({ kind: 'streams' }, capacity.openStreams);
  limit.set({ kind: 'incomplete' }, capacity.incompleteRequests);
  const admitted = metrics.gauge('grpc_server_admitted', 'Calls, streams and incomplete requests that are in at the moment.', ['kind']);
  return createAdmission(capacity, (kind, count) => admitted.set({ kind }, count));
}

/** Starts a gRPC server with the given services, health and reflection. Throws runtime's PortTakenError. */
export async function startServer(options: ServerOptions): Promise<GrpcServer> {
  const { bindings, host, logger, metrics, graceMs } = options;
  // grpc-js would write to stderr by itself. What matters of it arrives as an error, too.
  setLogger({ error: (text: unknown) => logger.debug({ text }, 'grpc-js reported') });
  const openCalls = createOpenCalls();
  const methods = bindings.flatMap((binding) => binding.methods);
  const kinds = new Map(methods.map(({ definition }) => [definition.path, definition.responseStream]));
  const admission = openAdmission(metrics, { ...defaultCapacity, ...options.capacity });
  const refusals = createRefusalLog(logger);
  const record = countRefusals(metrics, refusals);
  const edge = transportEdge({ isChained: (path) => kinds.has(path), openCalls, admission, maxMessageBytes, record });
  const server = new Server({ ...transportOptions, interceptors: [edge] });

  const run = chain(interceptors(options));
  const resolvePeer = createPeerResolver(options.trustedProxies);
  for (const method of methods) addMethod(server, method, { run, resolvePeer, openCalls, logger });
  addReflection(server, bindings.map((binding) => binding.service));
  const health = addHealth(server, options);
  const guard = openGuard(options);
  const refuse = refuseEarly({ isStream: (path) => kinds.get(path), admission, record });
  const connections = openConnections(server, { ...lifeOf(options), ...guard.connections, refuse, endCalls: (peer) => openCalls.abortPeer(peer, connectionAged()) });
  const listener = await listen(connections.admit, { host, port: options.port, ...guard.listener }).catch((error: unknown) => {
    server.forceShutdown();
    throw error;
  });
  health.start();

  return {
    port: listener.port,
    setServing: health.setServing,
    isServing: health.isServing,
    stop: async () => {
      health.stop();
      await drain({ server, listener, connections, openCalls }, graceMs);
      admission.stop();
      guard.stop();
      refusals.stop();
    },
  };
}
