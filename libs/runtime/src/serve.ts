import { ConfigError } from './config.ts';
import { PortTakenError } from './listen.ts';
import { createLogger, type Logger } from './logger.ts';

/** A process that serves, with the ports that it listens on. */
export interface RunningProcess {
  readonly httpPort: number;
  /** Of the gateway: the port for calls over HTTP. */
  readonly rpcPort?: number;
  /** Of all others. */
  readonly grpcPort?: number;
  readonly logger: Logger;
  /** Drains and closes everything; resolves within the grace period. */
  stop(): Promise<void>;
}

/** A running service with a gRPC port. */
export interface RunningApp extends RunningProcess {
  readonly grpcPort: number;
}

export interface ServeOptions<C> {
  service: string;
  /** Throws ConfigError. */
  readConfig: (env: NodeJS.ProcessEnv) => C;
  start: (config: C) => Promise<RunningProcess>;
}

function fail(service: string, error: unknown): never {
  const lines = error instanceof ConfigError ? error.message : explain(service, error);
  process.stderr.write(`${service}: ${lines}\n`);
  process.exit(1);
}

function explain(service: string, error: unknown): string {
  if (error instanceof PortTakenError) {
    return `${error.message}; choose another with TASKFLOW_${service.toUpperCase()}_${error.protocol.toUpperCase()}_PORT`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Resolves with the reason to stop: a signal, or the end of a parent that the process is bound to. */
function stopRequested(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
    if (process.env['TASKFLOW_EXIT_WITH_PARENT'] === '1') process.once('disconnect', () => resolve('parent ended'));
  });
}

/** Node would write these to standard error, as plain text between the JSON lines that a collector reads. */
function logWhatNodeSays(logger: Logger): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => logger.warn({ err: warning }, 'warning of the runtime'));
  process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled rejection'));
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'uncaught exception');
    process.exit(1);
  });
}

function announce(service: string, app: RunningProcess): void {
  const { rpcPort, grpcPort, httpPort } = app;
  const ports = { ...(rpcPort === undefined ? { grpcPort } : { rpcPort }), httpPort };
  app.logger.info(ports, 'serving');
  process.send?.({ type: 'serving', service, ...ports });
}

/**
 * The life of a service's process: reads the configuration, starts, waits for SIGTERM or SIGINT, drains, exits 0. When
 * it cannot start, it writes to standard error and exits 1. `--check-config` only checks the configuration.
 */
export async function serve<C>(options: ServeOptions<C>): Promise<void> {
  try {
    const config = options.readConfig(process.env);
    if (process.argv.includes('--check-config')) {
      process.stdout.write(`${options.service}: the configuration is complete\n`);
      return;
    }
    const stop = stopRequested();
    logWhatNodeSays(createLogger({ service: options.service, level: 'info' }));
    const app = await options.start(config);
    announce(options.service, app);
    app.logger.info({ reason: await stop }, 'stopping');
    await app.stop();
    app.logger.info('stopped');
    process.exit(0);
  } catch (error) {
    fail(options.service, error);
  }
}
