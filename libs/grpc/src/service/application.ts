import { armCrashPoints, createLogger, createMetrics, createParts, readBuildInfo, startTracing, type Logger, type Metrics, type RunningApp, type ServiceConfig } from '#libs/runtime';
import { createServiceIdentity, type ServiceIdentity } from '../identity/service-identity.ts';
import type { ServicePorts } from './service-ports.ts';

/** What every service is built on. */
export interface ServiceBase<C extends ServiceConfig = ServiceConfig> {
  config: C;
  logger: Logger;
  metrics: Metrics;
  /** Signs this service's calls to other services. */
  identity: ServiceIdentity;
  /** Keeps what has been started, to be stopped in reverse order. */
  parts: ReturnType<typeof createParts>;
}

// Servers and workers need all of the grace period for what is under way; the parts after them only have to close.
const closingMs = 5_000;

/**
 * Builds a service. `build` constructs everything, adds what must be ended to `parts` and opens the ports last. When it throws,
 * what was started until then is stopped again.
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
  const identity = createServiceIdentity({ service, privateKey: serviceKey });
  try {
    const metrics = createMetrics(service);
    const program = readBuildInfo();
    metrics.gauge('taskflow_build_info', 'Which program this is; always 1.', ['version', 'commit']).set({ ...program }, 1);
    // Before anything that could be traced, and ended after it.
    const tracing = await startTracing({ service, version: program.version, tracing: config.tracing, logger, metrics });
    parts.add({ name: 'tracing', stop: tracing.stop });
    const ports = await build({ config, logger, metrics, identity, parts });
    return { ...ports, logger, stop: parts.stop };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}
