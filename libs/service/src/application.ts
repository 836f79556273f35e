import { createServiceIdentity, createStanding, type ServiceIdentity } from '#libs/identity';
import {
  armCrashPoints,
  createLogger,
  createMetrics,
  createParts,
  createSharedClock,
  openCertificates,
  readBuildInfo,
  startTracing,
  type Certificates,
  type Logger,
  type Metrics,
  type RunningApp,
  type ServiceConfig,
  type SharedClock,
} from '#libs/runtime';

/** The ports that a service listens on. */
export interface ServicePorts {
  grpcPort: number;
  httpPort: number;
}

/** The base of every service. */
export interface ServiceBase<C extends ServiceConfig = ServiceConfig> {
  config: C;
  logger: Logger;
  metrics: Metrics;
  /** A service with a database keeps it at the database's time. */
  clock: SharedClock;
  /** Signs this service's calls to other services. */
  identity: ServiceIdentity;
  /** What secures connections; undefined without TLS. */
  certificates?: Certificates | undefined;
  /** The started parts, which are stopped in reverse order. */
  parts: ReturnType<typeof createParts>;
}

// Running calls and jobs may use the whole grace period. The remaining parts only have to close.
const closingMs = 5_000;

function openOwnCertificates(
  { service, tls }: ServiceConfig,
  watchers: { logger: Logger; metrics: Metrics },
): Certificates | undefined {
  return tls === undefined || tls.mode === 'off' ? undefined : openCertificates({ ...tls, ...watchers, service });
}

/**
 * Builds a service. `build` constructs everything, adds what must be stopped to `parts` and opens the ports last. When
 * it throws, everything that was started is stopped.
 */
export async function startApplication<C extends ServiceConfig>(
  config: C,
  overrides: { logger?: Logger },
  build: (base: ServiceBase<C>) => Promise<ServicePorts>,
): Promise<RunningApp> {
  const { service, logLevel, shutdownGraceMs, serviceKey } = config;
  const logger = overrides.logger ?? createLogger({ service, level: logLevel });
  armCrashPoints(config.crashFile);
  const parts = createParts({ logger, graceMs: shutdownGraceMs + closingMs });
  const clock = createSharedClock();
  try {
    const metrics = createMetrics(service);
    const program = readBuildInfo();
    metrics
      .gauge('taskflow_build_info', 'Which program this is; always 1.', ['version', 'commit'])
      .set({ ...program }, 1);
    // First, so that everything can be traced until it has stopped.
    const tracing = await startTracing({ service, version: program.version, tracing: config.tracing, logger, metrics });
    parts.add({ name: 'tracing', stop: tracing.stop });
    const certificates = openOwnCertificates(config, { logger, metrics });
    parts.add({ name: 'certificates', stop: async () => certificates?.stop() });
    const identity = createServiceIdentity({
      service,
      privateKey: serviceKey,
      clock,
      standing: createStanding(logger, metrics),
      certificates,
    });
    const ports = await build({ config, logger, metrics, clock, identity, certificates, parts });
    return { ...ports, logger, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}
