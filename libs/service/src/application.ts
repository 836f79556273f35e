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
  type ProcessConfig,
  type RunningApp,
  type ServiceConfig,
  type SharedClock,
} from '#libs/runtime';

/** The ports that a service listens on. */
export interface ServicePorts {
  grpcPort: number;
  httpPort: number;
}

/** The base of every service with a database. */
export interface ServiceBase<C extends ServiceConfig = ServiceConfig> extends ProcessBase<C> {
  /** A service with a database keeps it at the database's time. */
  clock: SharedClock;
  /** Signs this service's calls to other services. */
  identity: ServiceIdentity;
}

// Running calls and jobs may use the whole grace period. The remaining parts only have to close.
const closingMs = 5_000;

/** The base of every process. */
export interface ProcessBase<C extends ProcessConfig = ProcessConfig> {
  config: C;
  logger: Logger;
  metrics: Metrics;
  /** What secures connections; undefined without TLS. */
  certificates?: Certificates | undefined;
  /** The started parts, which are stopped in reverse order. */
  parts: ReturnType<typeof createParts>;
}

function openOwnCertificates(
  { tls }: ProcessConfig,
  options: { service: string | undefined; logger: Logger; metrics: Metrics },
): Certificates | undefined {
  return tls === undefined || tls.mode === 'off'
    ? undefined
    : openCertificates({ ...tls, ...options, issuedElsewhere: options.service === undefined });
}

interface ProcessOptions<C> {
  name: string;
  /** The service whose name its certificate must have; undefined: it needs none of its own. */
  service?: string;
  config: C;
}

/**
 * Builds a process. `build` constructs everything, adds what must be stopped to `parts` and opens the ports last. When
 * it throws, everything that was started is stopped.
 */
export async function startProcess<C extends ProcessConfig, Ports>(
  { name, service, config }: ProcessOptions<C>,
  overrides: { logger?: Logger },
  build: (base: ProcessBase<C>) => Promise<Ports>,
): Promise<Ports & { logger: Logger; stop(): Promise<void> }> {
  const { logLevel, shutdownGraceMs } = config;
  const logger = overrides.logger ?? createLogger({ service: name, level: logLevel });
  const parts = createParts({ logger, graceMs: shutdownGraceMs + closingMs });
  try {
    const metrics = createMetrics(name);
    const program = readBuildInfo();
    metrics
      .gauge('taskflow_build_info', 'Which program this is; always 1.', ['version', 'commit'])
      .set({ ...program }, 1);
    // First, so that everything can be traced until it has stopped.
    const tracing = await startTracing({
      service: name,
      version: program.version,
      tracing: config.tracing,
      logger,
      metrics,
    });
    parts.add({ name: 'tracing', stop: tracing.stop });
    const certificates = openOwnCertificates(config, { service, logger, metrics });
    parts.add({ name: 'certificates', stop: async () => certificates?.stop() });
    const ports = await build({ config, logger, metrics, certificates, parts });
    return { ...ports, logger, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

/** Builds a service with a database and an identity, as `startProcess` does. */
export function startApplication<C extends ServiceConfig>(
  config: C,
  overrides: { logger?: Logger },
  build: (base: ServiceBase<C>) => Promise<ServicePorts>,
): Promise<RunningApp> {
  const { service, serviceKey } = config;
  armCrashPoints(config.crashFile);
  return startProcess({ name: service, service, config }, overrides, (base) => {
    const clock = createSharedClock();
    const identity = createServiceIdentity({
      service,
      privateKey: serviceKey,
      clock,
      standing: createStanding(base.logger, base.metrics),
      certificates: base.certificates,
    });
    return build({ ...base, clock, identity });
  });
}
