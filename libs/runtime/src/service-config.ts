import { z } from 'zod';
import { ConfigError, loadConfig } from './config.ts';
import { envTypes } from './env-types.ts';
import { processEntries, settingOf, toProcessConfig, type ProcessConfig } from './process-config.ts';
import { findTlsFaults } from './tls/tls-settings.ts';

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

/** The configuration that every service with a database needs. */
export interface ServiceConfig extends ProcessConfig {
  service: ServiceName;
  grpcPort: number;
  databaseUrl: string;
  /** The same URL with earlier or coming passwords. */
  previousDatabaseUrls?: readonly string[] | undefined;
  poolSize: number;
  serviceKey: z.infer<typeof privateKey>;
  servicePublicKeys: z.infer<typeof publicKeys>;
  /** Months of the audit log that ended longer ago are dropped. Default 400 days. */
  auditRetentionMs?: number | undefined;
  /** The file in which crash tests name a crash point; see armCrashPoints. */
  crashFile?: string | undefined;
}

function shapeOf(service: ServiceName) {
  return {
    ...processEntries(service, 9464 + numbers[service]),
    [settingOf(service, 'GRPC_PORT')]: envTypes.port(50_050 + numbers[service]),
    [settingOf(service, 'DATABASE_URL')]: envTypes.databaseUrls(),
    [settingOf(service, 'POOL_SIZE')]: envTypes.positiveInt(10, 1000),
    TASKFLOW_SERVICE_KEY: envTypes.json(privateKey),
    TASKFLOW_SERVICE_PUBLIC_KEYS: envTypes.json(publicKeys),
    TASKFLOW_AUDIT_RETENTION_DAYS: envTypes.positiveInt(400, 36_500),
    TASKFLOW_CRASH_FILE: envTypes.optionalText(),
  };
}

/** The type of another service's address, a gRPC target. */
export function addressType(service: ServiceName): z.ZodType<string, string | undefined> {
  return envTypes.textOr(`127.0.0.1:${50_050 + numbers[service]}`);
}

/** The URL of a service's database, for commands that need nothing else. Throws ConfigError. */
export function readDatabaseUrl(service: ServiceName, env: NodeJS.ProcessEnv = process.env): string {
  const name = settingOf(service, 'DATABASE_URL');
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
  const [databaseUrl, ...previousDatabaseUrls] = read<string[]>(settingOf(service, 'DATABASE_URL'));
  const common: ServiceConfig = {
    ...toProcessConfig(service, read),
    service,
    grpcPort: read(settingOf(service, 'GRPC_PORT')),
    databaseUrl: databaseUrl ?? '',
    previousDatabaseUrls,
    poolSize: read(settingOf(service, 'POOL_SIZE')),
    serviceKey: read('TASKFLOW_SERVICE_KEY'),
    servicePublicKeys: read('TASKFLOW_SERVICE_PUBLIC_KEYS'),
    auditRetentionMs: read<number>('TASKFLOW_AUDIT_RETENTION_DAYS') * 86_400_000,
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
