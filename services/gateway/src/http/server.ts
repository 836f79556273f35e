import { setTimeout as pause } from 'node:timers/promises';
import {
  countRefusals,
  createPeerResolver,
  createRefusalLog,
  listen,
  openConcurrencyLimiter,
  openForwarder,
  openGuard,
  openHandshakes,
  type Handshakes,
  type HandshakesOptions,
} from '#libs/grpc';
import { settlesWithin, withoutOwnCertificate, type Certificates, type Logger, type Metrics } from '#libs/runtime';
import type { GatewayConfig } from '../config.ts';
import { listRoutes } from '../routes.ts';
import { openConnections, type Connections, type ConnectionsOptions } from './connections.ts';
import { openAgents } from '../mcp/agents.ts';
import { openConsole } from '../console/pages.ts';
import { openSessionDoor } from '../console/session-door.ts';
import { createCors } from './cors.ts';
import { handleCall, type Door } from './handle-call.ts';
import { createRefuseBroken } from './refuse-broken.ts';

export interface GatewayServer {
  readonly port: number;
  isServing(): boolean;
  /** Refuses new calls, ends streams, and ends the other calls when the grace period is over. */
  stop(): Promise<void>;
}

/** Leaves time to send the errors of the calls that are ended. */
const lastWordsMs = 250;

const defaultAgeMs = 300_000;
const defaultMaxInFlight = 500;
const defaultResets = 1000;

interface Drainable {
  closed: Promise<void>;
  connections: Connections;
  endAll: () => void;
}

async function drain({ closed, connections, endAll }: Drainable, graceMs: number): Promise<void> {
  if (await settlesWithin(closed, graceMs)) return;
  endAll();
  await Promise.race([closed, pause(lastWordsMs)]);
  connections.destroy();
  await closed;
}

/** Without a certificate the own port is in plaintext, and TLS ends before it. Browsers are not asked for theirs. */
function secureConnections(
  certificates: Certificates | undefined,
  options: Pick<HandshakesOptions, 'accept' | 'onServed' | 'onFailed'>,
): Handshakes {
  const own = certificates?.current().certificate === undefined ? undefined : certificates;
  return openHandshakes({
    ...options,
    certificates: own,
    protocols: ['h2', 'http/1.1'],
    asksForCertificates: false,
  });
}

interface Surroundings {
  certificates: Certificates | undefined;
  logger: Logger;
  metrics: Metrics;
}

/** What answers requests, whichever connection they come by. */
function openAnswering(config: GatewayConfig, { certificates, logger, metrics }: Surroundings) {
  const { trustedProxies, capacity, addresses } = config;
  const forwarder = openForwarder({
    addresses,
    // It acts for its clients, with their tokens, and proves no name to the services.
    certificates: certificates && withoutOwnCertificate(certificates),
    maxInFlight: capacity?.unfinishedCalls ?? defaultMaxInFlight,
    logger,
    metrics,
  });
  const limiter = openConcurrencyLimiter(metrics, capacity);
  const refusals = createRefusalLog(logger);
  const options = {
    routes: listRoutes(),
    cors: createCors(config.corsOrigins),
    forwarder,
    limiter,
    resolvePeer: createPeerResolver(trustedProxies),
    record: countRefusals(metrics, refusals),
  };
  const doors: readonly Door[] = [
    openAgents(options, { logger, metrics }),
    openSessionDoor(options),
    ...openConsole(options),
    { isFor: () => true, handle: (request, response) => handleCall(request, response, options) },
  ];
  const handle: ConnectionsOptions['handle'] = (request, response) =>
    void doors.find((door) => door.isFor(request))?.handle(request, response);
  const close = (): void => {
    forwarder.close();
    limiter.stop();
    refusals.stop();
  };
  return {
    handle,
    refuseBroken: createRefuseBroken(options),
    endStreams: forwarder.endStreams,
    endAll: forwarder.endAll,
    close,
  };
}

/** Serves every public method of the contract over HTTP. Throws PortTakenError. */
export async function startGatewayServer(config: GatewayConfig, surroundings: Surroundings): Promise<GatewayServer> {
  const { certificates, logger, metrics } = surroundings;
  const { trustedProxies, peerLimits, connectionAgeMs: ageMs = defaultAgeMs } = config;
  const { resetsPerSecond = defaultResets } = peerLimits ?? {};
  const answering = openAnswering(config, surroundings);
  const { handle, refuseBroken } = answering;
  const connections = openConnections({ ageMs, resetsPerSecond, handle, refuseBroken });
  const guard = openGuard({ trustedProxies, peerLimits, logger, metrics });
  const close = (): void => {
    handshakes.stop();
    answering.close();
    guard.stop();
  };
  const at = { protocol: 'rpc', host: config.host, port: config.rpcPort, ...guard.listener } as const;
  const handshakes = secureConnections(certificates, { accept: connections.accept, ...guard.handshakes });
  const listener = await listen(handshakes.begin, at).catch((error: unknown) => {
    close();
    throw error;
  });
  let isServing = true;
  return {
    port: listener.port,
    isServing: () => isServing,
    stop: async () => {
      isServing = false;
      const closed = listener.close();
      handshakes.stop();
      connections.announceEnd();
      answering.endStreams();
      await drain({ closed, connections, endAll: answering.endAll }, config.shutdownGraceMs);
      connections.destroy();
      close();
    },
  };
}
