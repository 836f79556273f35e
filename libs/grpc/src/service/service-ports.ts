import { fileURLToPath } from 'node:url';
import { startHttpPort, type HttpMounts } from '#libs/runtime';
import { createAuthenticator } from '../identity/authenticator.ts';
import type { Interceptor } from '../server/chain.ts';
import { startServer, type GrpcServer, type ServerOptions } from '../server/server.ts';
import type { Access } from './access.ts';
import type { ServiceBase } from './application.ts';
import { bindServerInfo, type LimitOf } from './server-info.ts';
import { bindBreakers } from './breakers.ts';

/** The ports that a service listens on. */
export interface ServicePorts {
  grpcPort: number;
  httpPort: number;
}

export interface ServicePortsOptions extends Pick<ServerOptions, 'bindings' | 'checks'> {
  access: Access;
  /** Holds methods to their rate limits, and tells which those are. */
  limits: { interceptor: Interceptor; limitOf: LimitOf };
  /** The last migration that the service knows. */
  schemaVersion: string;
  /** What else the HTTP port answers. */
  mounts?: HttpMounts;
  /** What is switched on in this service alone, as GetServerInfo tells it. */
  features?: readonly string[];
}

/** The API reference; it is no part of an image. */
const developmentPages = { '/docs': { type: 'text/html; charset=utf-8', file: fileURLToPath(new URL('../../../../proto/docs/api.html', import.meta.url)) } };

/** Opens the HTTP port, then the gRPC port; both are parts of the service from then on. Throws PortTakenError. */
export async function openPorts(base: ServiceBase, { access, checks, limits, schemaVersion, bindings, mounts = {}, features = [] }: ServicePortsOptions): Promise<ServicePorts> {
  const { config, logger, metrics, parts } = base;
  const { service, host, servicePublicKeys, trustedProxies, capacity, peerLimits, connectionAgeMs, shutdownGraceMs: graceMs } = config;
  const { accessKeys, revocations } = access;
  const running: { server?: GrpcServer } = {};
  const pages = config.env === 'production' ? {} : developmentPages;
  const http = await startHttpPort({ host, port: config.httpPort, metrics, isReady: () => running.server?.isServing() ?? false, pages, mounts });
  parts.add({ name: 'http port', stop: http.close });
  const server = await startServer({
    bindings: [...bindings, bindBreakers(metrics), bindServerInfo({ config, schemaVersion, bindings, limitOf: limits.limitOf, ownFeatures: features })],
    limit: limits.interceptor,
    service,
    host,
    port: config.grpcPort,
    authenticate: createAuthenticator({ service, accessKeys, servicePublicKeys, revocations }),
    revocations,
    logger,
    metrics,
    trustedProxies,
    ...(capacity !== undefined && { capacity }),
    ...(peerLimits !== undefined && { peerLimits }),
    ...(connectionAgeMs !== undefined && { connectionAgeMs }),
    graceMs,
    checks: { ...checks, ...access.checks },
  });
  parts.add({ name: 'grpc server', stop: server.stop });
  running.server = server;
  return { grpcPort: server.port, httpPort: http.port };
}
