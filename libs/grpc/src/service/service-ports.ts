import { startHttpPort } from '#libs/runtime';
import { createAuthenticator } from '../identity/authenticator.ts';
import { startServer, type GrpcServer, type ServerOptions } from '../server/server.ts';
import type { Access } from './access.ts';
import type { ServiceBase } from './application.ts';

/** The ports that a service listens on. */
export interface ServicePorts {
  grpcPort: number;
  httpPort: number;
}

export interface ServicePortsOptions extends Pick<ServerOptions, 'bindings' | 'checks' | 'limit'> {
  access: Access;
}

/** Opens the HTTP port, then the gRPC port; both are parts of the service from then on. Throws PortTakenError. */
export async function openPorts(base: ServiceBase, { access, checks, ...options }: ServicePortsOptions): Promise<ServicePorts> {
  const { config, logger, metrics, parts } = base;
  const { service, host, servicePublicKeys, trustedProxies, capacity, connectionAgeMs, shutdownGraceMs: graceMs } = config;
  const { accessKeys, revocations } = access;
  const running: { server?: GrpcServer } = {};
  const http = await startHttpPort({ host, port: config.httpPort, metrics, isReady: () => running.server?.isServing() ?? false });
  parts.add({ name: 'http port', stop: http.close });
  const server = await startServer({
    ...options,
    service,
    host,
    port: config.grpcPort,
    authenticate: createAuthenticator({ service, accessKeys, servicePublicKeys, revocations }),
    revocations,
    logger,
    metrics,
    trustedProxies,
    ...(capacity !== undefined && { capacity }),
    ...(connectionAgeMs !== undefined && { connectionAgeMs }),
    graceMs,
    checks: { ...checks, ...access.checks },
  });
  parts.add({ name: 'grpc server', stop: server.stop });
  running.server = server;
  return { grpcPort: server.port, httpPort: http.port };
}
