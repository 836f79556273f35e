import { z } from 'zod';
import { ConfigError, loadConfig } from './config.ts';
import { envTypes } from './env-types.ts';
import type { TracingConfig } from './telemetry/start-tracing.ts';
import { findTlsFaults, tlsEntries, toTlsSettings, type TlsSettings } from './tls/tls-settings.ts';

/** The number n of each service gives its default ports 50050 + n and 9464 + n. */
const numbers = { auth: 1, users: 2, tasks: 3, scheduler: 4 } as const;
type ServiceName = keyof typeof numbers;

const privateKey = z.looseObject(
  { kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string(), kid: z.string().optional() },
  'must be a private Ed25519 key as JSON Web Key',
);
const publicKeys = z
  .object(
    {
      keys: z.array(
        z.looseObject({ kid: z.string(), kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
      ),
    },
    'must be a JSON Web Key Set of Ed25519 keys, kid = service name, or service name and a dot and more',
  )
  .refine(({ keys }) => new Set(keys.map(({ kid }) => kid)).size === keys.length, 'has two keys of the same kid');

/** The configuration that every service needs. */
export interface ServiceConfig {
  service: ServiceName;
  env: 'development' | 'test' | 'production';
  logLevel: string;
  host: string;
  grpcPort: number;
  httpPort: number;
  databaseUrl: string;
  /** The same URL with earlier or coming passwords. */
  previousDatabaseUrls?: readonly string[] | undefined;
  poolSize: number;
  serviceKey: z.infer<typeof privateKey>;
  servicePublicKeys: z.infer<typeof publicKeys>;
  shutdownGraceMs: number;
  trustedProxies: string[];
  /** How much work a server accepts at the same time. Default: below. */
  capacity?: { unfinishedCalls: number; openStreams: number; incompleteRequests: number } | undefined;
  /** What a server allows one peer. Default: below. */
  peerLimits?:
    | { connectionsPerPeer: number; connectionsPerSecond: number; streamsPerSecond: number; resetsPerSecond: number }
    | undefined;
  /** Months of the audit log that ended longer ago are dropped. Default 400 days. */
  auditRetentionMs?: number | undefined;
  /** How long a connection lives, so that clients find new replicas. Default 5 minutes. */
  connectionAgeMs?: number | undefined;
  /** Default: off. */
  tls?: TlsSettings | undefined;
  /** Undefined: nothing is traced. */
  tracing?: TracingConfig | undefined;
  /** The file in which crash tests name a crash point; see armCrashPoints. */
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
    [`${prefix}_DATABASE_URL` as const]: envTypes.databaseUrls(),
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
    TASKFLOW_AUDIT_RETENTION_DAYS: envTypes.positiveInt(400, 36_500),
    TASKFLOW_OTLP_ENDPOINT: envTypes.url('http:', 'https:').optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: envTypes.url('http:', 'https:').optional(),
    TASKFLOW_TRACE_RATIO: envTypes.share(1),
    ...tlsEntries,
    TASKFLOW_CRASH_FILE: envTypes.optionalText(),
  };
}

/** The type of another service's address, a gRPC target. */
export function addressType(service: ServiceName): z.ZodType<string, string | undefined> {
  return envTypes.textOr(`127.0.0.1:${50_050 + numbers[service]}`);
}

/** The URL of a service's database, for commands that need nothing else. Throws ConfigError. */
export function readDatabaseUrl(service: ServiceName, env: NodeJS.ProcessEnv = process.env): string {
  const name = `TASKFLOW_${service.toUpperCase()}_DATABASE_URL`;
  return loadConfig({ [name]: envTypes.databaseUrls() }, env)[name]?.[0] ?? '';
}

/**
 * Reads the configuration of every service together with the service's own entries (`extra`: variable → type), so that
 * all faults are reported at once. Throws ConfigError. There are no default secrets: all keys must be given.
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
  const [databaseUrl, ...previousDatabaseUrls] = read<string[]>(`${prefix}_DATABASE_URL`);
  const endpoint = read<string | undefined>('TASKFLOW_OTLP_ENDPOINT') ?? read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const common: ServiceConfig = {
    service,
    env: read('TASKFLOW_ENV'),
    logLevel: read('TASKFLOW_LOG_LEVEL'),
    host: read('TASKFLOW_HOST'),
    grpcPort: read(`${prefix}_GRPC_PORT`),
    httpPort: read(`${prefix}_HTTP_PORT`),
    databaseUrl: databaseUrl ?? '',
    previousDatabaseUrls,
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
    auditRetentionMs: read<number>('TASKFLOW_AUDIT_RETENTION_DAYS') * 86_400_000,
    tracing: endpoint === undefined ? undefined : { endpoint, ratio: read('TASKFLOW_TRACE_RATIO') },
    tls: toTlsSettings(values as Parameters<typeof toTlsSettings>[0]),
    crashFile: read('TASKFLOW_CRASH_FILE'),
  };
  const faults = findContradictions(common);
  if (faults.length > 0) throw new ConfigError(faults);
  return { common, own };
}

function findContradictions({ service, env, crashFile, serviceKey, servicePublicKeys, tls }: ServiceConfig): string[] {
  const kid = serviceKey.kid ?? service;
  const isKnown = servicePublicKeys.keys.some((key) => key.kid === kid && key.x === serviceKey.x);
  return [
    ...(tls === undefined ? [] : findTlsFaults(tls, service)),
    ...(env === 'production' && crashFile !== undefined
      ? ['TASKFLOW_CRASH_FILE: is for crash tests, not for production']
      : []),
    ...(kid === service || kid.startsWith(`${service}.`) ? [] : [`TASKFLOW_SERVICE_KEY: its kid is not of ${service}`]),
    // Others refuse a service that signs with a key they may not know yet.
    ...(isKnown
      ? []
      : [
          'TASKFLOW_SERVICE_KEY: is not among TASKFLOW_SERVICE_PUBLIC_KEYS, which every service must know before this one uses it',
        ]),
  ];
}
