import { z } from 'zod';
import { ConfigError, loadConfig } from './config.ts';
import { envTypes } from './env-types.ts';
import type { TracingConfig } from './telemetry/start-tracing.ts';

/** The number of each service: it gives the default ports 50050 + n and 9464 + n. */
const numbers = { auth: 1, users: 2, tasks: 3, scheduler: 4 } as const;
type ServiceName = keyof typeof numbers;

const privateKey = z.looseObject(
  { kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() },
  'must be a private Ed25519 key as JSON Web Key',
);
const publicKeys = z.object(
  { keys: z.array(z.looseObject({ kid: z.string(), kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() })) },
  'must be a JSON Web Key Set of Ed25519 keys, kid = service name',
);

/** What every service needs to know. */
export interface ServiceConfig {
  service: ServiceName;
  env: 'development' | 'test' | 'production';
  logLevel: string;
  host: string;
  grpcPort: number;
  httpPort: number;
  databaseUrl: string;
  poolSize: number;
  serviceKey: z.infer<typeof privateKey>;
  servicePublicKeys: z.infer<typeof publicKeys>;
  shutdownGraceMs: number;
  trustedProxies: string[];
  /** What a server takes on at the same time; left out: the defaults below. */
  capacity?: { unfinishedCalls: number; openStreams: number; incompleteRequests: number } | undefined;
  /** What a server puts up with from a peer; left out: the defaults below. */
  peerLimits?: { connectionsPerPeer: number; connectionsPerSecond: number; streamsPerSecond: number; resetsPerSecond: number } | undefined;
  /** How long a connection lives, so that clients find new replicas; left out: 5 minutes. */
  connectionAgeMs?: number | undefined;
  /** Left out: nothing is traced. */
  tracing?: TracingConfig | undefined;
  /** Where crash tests name the point at which a process dies; see armCrashPoints. */
  crashFile?: string | undefined;
}

function shapeOf(service: ServiceName) {
  const prefix = `TASKFLOW_${service.toUpperCase()}` as 'TASKFLOW_SERVICE';
  return {
    TASKFLOW_ENV: envTypes.oneOf(['development', 'test', 'production'], 'development'),
    TASKFLOW_LOG_LEVEL: envTypes.oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'info'),
    TASKFLOW_HOST: envTypes.textOr('0.0.0.0'),
    [`${prefix}_GRPC_PORT` as const]: envTypes.port(50_050 + numbers[service]),
    [`${prefix}_HTTP_PORT` as const]: envTypes.port(9464 + numbers[service]),
    [`${prefix}_DATABASE_URL` as const]: envTypes.url('postgres:', 'postgresql:'),
    [`${prefix}_POOL_SIZE` as const]: envTypes.positiveInt(10, 1000),
    TASKFLOW_SERVICE_KEY: envTypes.json(privateKey),
    TASKFLOW_SERVICE_PUBLIC_KEYS: envTypes.json(publicKeys),
    TASKFLOW_SHUTDOWN_GRACE_MS: envTypes.positiveInt(20_000, 600_000),
    TASKFLOW_TRUSTED_PROXIES: envTypes.list(),
    TASKFLOW_MAX_UNFINISHED_CALLS: envTypes.positiveInt(500, 1_000_000),
    TASKFLOW_MAX_OPEN_STREAMS: envTypes.positiveInt(10_000, 1_000_000),
    TASKFLOW_MAX_INCOMPLETE_REQUESTS: envTypes.positiveInt(1000, 1_000_000),
    TASKFLOW_MAX_CONNECTIONS_PER_PEER: envTypes.positiveInt(500, 1_000_000),
    TASKFLOW_MAX_CONNECTIONS_PER_SECOND: envTypes.positiveInt(100, 1_000_000),
    TASKFLOW_MAX_STREAMS_PER_SECOND: envTypes.positiveInt(10_000, 1_000_000),
    TASKFLOW_MAX_RESETS_PER_SECOND: envTypes.positiveInt(1000, 1_000_000),
    TASKFLOW_CONNECTION_AGE_MS: envTypes.positiveInt(300_000, 86_400_000),
    TASKFLOW_OTLP_ENDPOINT: envTypes.url('http:', 'https:').optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: envTypes.url('http:', 'https:').optional(),
    TASKFLOW_TRACE_RATIO: envTypes.share(1),
    TASKFLOW_CRASH_FILE: envTypes.optionalText(),
  };
}

function toTracing(endpoint: string | undefined, ratio: number): TracingConfig | undefined {
  return endpoint === undefined ? undefined : { endpoint, ratio };
}

/** The address of another service: its gRPC target. */
export function addressType(service: ServiceName): z.ZodType<string, string | undefined> {
  return envTypes.textOr(`127.0.0.1:${50_050 + numbers[service]}`);
}

/**
 * Reads what every service needs together with the entries of its own (`extra`: name of the variable → type), so that
 * all faults are reported at once. Throws ConfigError. A default secret does not exist: all keys must be given.
 */
export function loadServiceConfig<S extends z.ZodRawShape>(
  service: ServiceName,
  extra: S,
  env: NodeJS.ProcessEnv = process.env,
): { common: ServiceConfig; own: z.infer<z.ZodObject<S>> } {
  const values = loadConfig({ ...shapeOf(service), ...extra }, env) as Record<string, unknown>;
  const read = <T>(name: string): T => values[name] as T;
  const own = Object.fromEntries(Object.keys(extra).map((name) => [name, values[name]])) as z.infer<z.ZodObject<S>>;
  const prefix = `TASKFLOW_${service.toUpperCase()}`;
  const common: ServiceConfig = {
    service,
    env: read('TASKFLOW_ENV'),
    logLevel: read('TASKFLOW_LOG_LEVEL'),
    host: read('TASKFLOW_HOST'),
    grpcPort: read(`${prefix}_GRPC_PORT`),
    httpPort: read(`${prefix}_HTTP_PORT`),
    databaseUrl: read(`${prefix}_DATABASE_URL`),
    poolSize: read(`${prefix}_POOL_SIZE`),
    serviceKey: read('TASKFLOW_SERVICE_KEY'),
    servicePublicKeys: read('TASKFLOW_SERVICE_PUBLIC_KEYS'),
    shutdownGraceMs: read('TASKFLOW_SHUTDOWN_GRACE_MS'),
    trustedProxies: read('TASKFLOW_TRUSTED_PROXIES'),
    capacity: {
      unfinishedCalls: read('TASKFLOW_MAX_UNFINISHED_CALLS'),
      openStreams: read('TASKFLOW_MAX_OPEN_STREAMS'),
      incompleteRequests: read('TASKFLOW_MAX_INCOMPLETE_REQUESTS'),
    },
    peerLimits: {
      connectionsPerPeer: read('TASKFLOW_MAX_CONNECTIONS_PER_PEER'),
      connectionsPerSecond: read('TASKFLOW_MAX_CONNECTIONS_PER_SECOND'),
      streamsPerSecond: read('TASKFLOW_MAX_STREAMS_PER_SECOND'),
      resetsPerSecond: read('TASKFLOW_MAX_RESETS_PER_SECOND'),
    },
    connectionAgeMs: read('TASKFLOW_CONNECTION_AGE_MS'),
    tracing: toTracing(read('TASKFLOW_OTLP_ENDPOINT') ?? read('OTEL_EXPORTER_OTLP_ENDPOINT'), read('TASKFLOW_TRACE_RATIO')),
    crashFile: read('TASKFLOW_CRASH_FILE'),
  };
  if (common.env === 'production' && common.crashFile !== undefined) throw new ConfigError(['TASKFLOW_CRASH_FILE: is for crash tests, not for production']);
  return { common, own };
}
