import { bindAudit, type AuditLog } from '#libs/audit';
import type { PageTokens, Snapshots } from '#libs/db';
import { bindExport, createExporter, type ExportedData } from '#libs/export';
import { startServer, type GrpcServer, type Interceptor, type ServerOptions, type ServiceBinding } from '#libs/grpc';
import { createAuthenticator } from '#libs/identity';
import type { ServerFeature } from '#contract/server/v1/server';
import { startHttpPort } from '#libs/runtime';
import type { Access } from './access.ts';
import type { ServiceBase, ServicePorts } from './application.ts';
import { bindServerInfo, type LimitOf } from './server-info.ts';
import { bindBreakers } from './breakers.ts';
import { docsPages } from './docs-pages.ts';

interface ServicePortsOptions extends Pick<ServerOptions, 'bindings' | 'checks'> {
  access: Access;
  /** Enforces and describes the rate limits of methods. */
  limits: { interceptor: Interceptor; limitOf: LimitOf };
  audit: AuditLog;
  /** What people can take away, and where it is read. */
  exportedData: ExportedData;
  snapshots: Snapshots;
  pageTokens: PageTokens;
  /** The last migration of the service. */
  schemaVersion: string;
  /** The features of this service alone, for GetServerInfo. */
  features?: readonly ServerFeature[];
}

/** Opens the HTTP port, then the gRPC port, and adds both to the parts. Throws PortTakenError. */
export async function openPorts(base: ServiceBase, options: ServicePortsOptions): Promise<ServicePorts> {
  const { config, logger, metrics, clock, certificates, parts } = base;
  const { access, checks, limits } = options;
  const { service, host, servicePublicKeys, trustedProxies, capacity, peerLimits, connectionAgeMs } = config;
  const { accessKeys, revocations, checkPersonalToken: check } = access;
  const running: { server?: GrpcServer } = {};
  const pages = config.env === 'production' ? {} : docsPages();
  const http = await startHttpPort({
    host,
    port: config.httpPort,
    metrics,
    isReady: () => running.server?.isServing() ?? false,
    pages,
  });
  parts.add({ name: 'http port', stop: http.close });
  const server = await startServer({
    bindings: allBindings(base, options),
    limit: limits.interceptor,
    service,
    host,
    port: config.grpcPort,
    authenticate: createAuthenticator({
      service,
      accessKeys,
      servicePublicKeys,
      revocations,
      clock,
      personalTokens: check && { check, logger },
    }),
    revocations,
    certificates,
    logger,
    metrics,
    trustedProxies,
    capacity,
    peerLimits,
    connectionAgeMs,
    graceMs: config.shutdownGraceMs,
    checks: { ...checks, ...access.checks },
  });
  parts.add({ name: 'grpc server', stop: server.stop });
  running.server = server;
  return { grpcPort: server.port, httpPort: http.port };
}

/** Those of the service, and those that every service has. */
function allBindings(
  { config, metrics, clock }: ServiceBase,
  { limits, audit, exportedData, snapshots, pageTokens, schemaVersion, bindings, features = [] }: ServicePortsOptions,
): ServiceBinding[] {
  // Most connections are left to calls that are soon over.
  const maxRunning = Math.max(1, Math.floor(config.poolSize / 3));
  return [
    ...bindings,
    bindBreakers(metrics, audit),
    bindAudit(audit, pageTokens),
    bindExport(createExporter({ service: config.service, snapshots, audit, clock, data: exportedData, maxRunning })),
    bindServerInfo({ config, clock, schemaVersion, bindings, limitOf: limits.limitOf, ownFeatures: features }),
  ];
}
