import { envTypes } from './env-types.ts';
import type { TracingConfig } from './telemetry/start-tracing.ts';
import { tlsEntries, toTlsSettings, type TlsSettings } from './tls/tls-settings.ts';

/** The configuration of every process that serves calls. */
export interface ProcessConfig {
  env: 'development' | 'test' | 'production';
  logLevel: string;
  host: string;
  httpPort: number;
  shutdownGraceMs: number;
  trustedProxies: string[];
  /** How much work a server accepts at the same time. Default: below. */
  capacity?:
    { unfinishedCalls: number; openStreams: number; incompleteRequests: number; requestBytes: number } | undefined;
  /** What a server allows one peer. Default: below. */
  peerLimits?:
    | { connectionsPerPeer: number; connectionsPerSecond: number; streamsPerSecond: number; resetsPerSecond: number }
    | undefined;
  /** How long a connection lives, so that clients find new replicas. Default 5 minutes. */
  connectionAgeMs?: number | undefined;
  /** Default: off. */
  tls?: TlsSettings | undefined;
  /** Undefined: nothing is traced. */
  tracing?: TracingConfig | undefined;
}

const mebibyte = 1024 * 1024;

/** TASKFLOW_TASKS_HTTP_PORT */
export const settingOf = (process: string, setting: string): string => `TASKFLOW_${process.toUpperCase()}_${setting}`;

/** The entries of a process with this name and this default port for metrics and health. */
export function processEntries(process: string, httpPort: number) {
  return {
    TASKFLOW_ENV: envTypes.oneOf(['development', 'test', 'production'], 'development'),
    TASKFLOW_LOG_LEVEL: envTypes.oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'info'),
    TASKFLOW_HOST: envTypes.textOr('0.0.0.0'),
    [settingOf(process, 'HTTP_PORT')]: envTypes.port(httpPort),
    TASKFLOW_SHUTDOWN_GRACE_MS: envTypes.positiveInt(20_000, 600_000),
    TASKFLOW_TRUSTED_PROXIES: envTypes.list(),
    TASKFLOW_MAX_UNFINISHED_CALLS: envTypes.positiveInt(500, 1_000_000),
    TASKFLOW_MAX_OPEN_STREAMS: envTypes.positiveInt(10_000, 1_000_000),
    TASKFLOW_MAX_INCOMPLETE_REQUESTS: envTypes.positiveInt(1000, 1_000_000),
    TASKFLOW_MAX_REQUEST_BYTES: envTypes.positiveInt(64 * mebibyte, 1024 * mebibyte, 8 * mebibyte),
    TASKFLOW_MAX_CONNECTIONS_PER_PEER: envTypes.positiveInt(500, 1_000_000),
    TASKFLOW_MAX_CONNECTIONS_PER_SECOND: envTypes.positiveInt(100, 1_000_000),
    TASKFLOW_MAX_STREAMS_PER_SECOND: envTypes.positiveInt(10_000, 1_000_000),
    TASKFLOW_MAX_RESETS_PER_SECOND: envTypes.positiveInt(1000, 1_000_000),
    TASKFLOW_CONNECTION_AGE_MS: envTypes.positiveInt(300_000, 86_400_000),
    TASKFLOW_OTLP_ENDPOINT: envTypes.url('http:', 'https:').optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: envTypes.url('http:', 'https:').optional(),
    TASKFLOW_TRACE_RATIO: envTypes.share(1),
    ...tlsEntries,
  };
}

/** The configuration from the values of `processEntries`. */
export function toProcessConfig(process: string, read: <T>(name: string) => T): ProcessConfig {
  const endpoint = read<string | undefined>('TASKFLOW_OTLP_ENDPOINT') ?? read('OTEL_EXPORTER_OTLP_ENDPOINT');
  return {
    env: read('TASKFLOW_ENV'),
    logLevel: read('TASKFLOW_LOG_LEVEL'),
    host: read('TASKFLOW_HOST'),
    httpPort: read(settingOf(process, 'HTTP_PORT')),
    shutdownGraceMs: read('TASKFLOW_SHUTDOWN_GRACE_MS'),
    trustedProxies: read('TASKFLOW_TRUSTED_PROXIES'),
    capacity: {
      unfinishedCalls: read('TASKFLOW_MAX_UNFINISHED_CALLS'),
      openStreams: read('TASKFLOW_MAX_OPEN_STREAMS'),
      incompleteRequests: read('TASKFLOW_MAX_INCOMPLETE_REQUESTS'),
      requestBytes: read('TASKFLOW_MAX_REQUEST_BYTES'),
    },
    peerLimits: {
      connectionsPerPeer: read('TASKFLOW_MAX_CONNECTIONS_PER_PEER'),
      connectionsPerSecond: read('TASKFLOW_MAX_CONNECTIONS_PER_SECOND'),
      streamsPerSecond: read('TASKFLOW_MAX_STREAMS_PER_SECOND'),
      resetsPerSecond: read('TASKFLOW_MAX_RESETS_PER_SECOND'),
    },
    connectionAgeMs: read('TASKFLOW_CONNECTION_AGE_MS'),
    tls: toTlsSettings(read),
    tracing: endpoint === undefined ? undefined : { endpoint, ratio: read('TASKFLOW_TRACE_RATIO') },
  };
}
