import { join } from 'node:path';
import { callsByTls, type TlsMode } from '#libs/runtime';
import { keepCertificates } from './certificates.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { keepSecret, randomPassword } from './instance.ts';
import { keepKeys, type KeySettings } from './keys.ts';
import { findFreePort } from './ports.ts';
import {
  defaultPorts,
  forEachService,
  isService,
  portSettingsOf,
  serviceNames,
  settingOf,
  type ProcessName,
  type ServiceName,
} from './service-names.ts';
import { withConnection } from './redis.ts';

export interface Admin {
  readonly email: string;
  readonly password: string;
  /** Where the password was written to; undefined when it was given. */
  readonly passwordFile: string | undefined;
}

/** One process of a service. */
export interface Replica {
  readonly service: ProcessName;
  readonly label: string;
  /** For calls. */
  readonly callsPort: number;
  readonly httpPort: number;
  readonly env: NodeJS.ProcessEnv;
}

/** Everything about a cluster that is known before anything is started. */
export interface ClusterSettings {
  readonly admin: Admin;
  readonly databaseUrls: Record<ServiceName, string>;
  readonly redisUrl: string;
  readonly replicas: readonly Replica[];
  /** Where mails are written to; undefined when they are not. */
  readonly mailFolder: string | undefined;
  /** The settings by which programs outside call the cluster by TLS; empty in plaintext. */
  readonly clientEnv: Readonly<Record<string, string>>;
}

/** The host variables that a program needs. Services receive nothing else of our environment. */
export function hostEnvironment(): NodeJS.ProcessEnv {
  const names = [
    'PATH',
    'HOME',
    'USER',
    'LANG',
    'TZ',
    'TMPDIR',
    'SSL_CERT_FILE',
    'NODE_EXTRA_CA_CERTS',
    'NODE_COMPILE_CACHE',
  ];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

export async function resolveClusterSettings(options: ClusterOptions, dir: string): Promise<ClusterSettings> {
  const databaseUrls = options.databaseUrls ?? makeDatabaseUrls(options, dir);
  const redisUrl = await ownRedisDatabase(options.redisUrl, options.namespace);
  const admin = chooseAdmin(options, dir);
  const places = await choosePlaces(options);
  const keys = keepKeys(join(dir, 'keys'));
  const tls = options.tls && (await keepCertificates(dir, options.tls));
  const addresses = await routeCallers(options, places);
  const mailFolder = chooseMailFolder(options, dir);
  const shared = sharedSettings({ options, redisUrl, addresses, mailFolder, site: consoleUrl(places, options) });
  const replicas = places.map((place) => ({
    ...place,
    env: {
      ...hostEnvironment(),
      ...shared,
      ...(isService(place.service) ? settingsOfService(place.service, { options, keys, databaseUrls }) : {}),
      ...tls?.[place.service],
      ...(place.service === 'auth'
        ? { [settingOf('auth', 'ADMIN_EMAIL')]: admin.email, [settingOf('auth', 'ADMIN_PASSWORD')]: admin.password }
        : {}),
      ...options.env,
      ...options.serviceEnv?.[place.service],
      ...options.replicaEnv?.[place.label],
      [portSettingsOf(place.service).calls]: String(place.callsPort),
      [portSettingsOf(place.service).http]: String(place.httpPort),
    },
  }));
  return { admin, databaseUrls, redisUrl, replicas, mailFolder, clientEnv: chooseClientEnv(replicas[0]?.env) };
}

/** Clients need no certificate of their own. */
function chooseClientEnv({ TASKFLOW_TLS: mode, TASKFLOW_TLS_CA_FILE: file }: NodeJS.ProcessEnv = {}): Record<
  string,
  string
> {
  if (mode === undefined || file === undefined || !callsByTls(mode as TlsMode)) return {};
  return { TASKFLOW_TLS: 'required', TASKFLOW_TLS_CA_FILE: file };
}

interface OfServices extends Pick<ClusterSettings, 'databaseUrls'> {
  options: ClusterOptions;
  keys: KeySettings;
}

/** The gateway has none of these: it acts for its clients, with their tokens. The services believe whose calls it passes on. */
function settingsOfService(
  service: ServiceName,
  { options: { services = [] }, keys, databaseUrls }: OfServices,
): Record<string, string> {
  return {
    ...keys[service],
    [settingOf(service, 'DATABASE_URL')]: databaseUrls[service],
    ...(services.includes('gateway') ? { TASKFLOW_TRUSTED_PROXIES: '127.0.0.1/32' } : {}),
  };
}

function chooseAdmin({ env }: ClusterOptions, dir: string): Admin {
  const email = env?.[settingOf('auth', 'ADMIN_EMAIL')] ?? 'admin@taskflow.local';
  const password = env?.[settingOf('auth', 'ADMIN_PASSWORD')];
  const passwordFile = join(dir, 'admin.password');
  return password === undefined
    ? { email, password: keepSecret(passwordFile), passwordFile }
    : { email, password, passwordFile: undefined };
}

/** A cluster for people writes mails into a folder, unless their environment wants something else. */
function chooseMailFolder({ ports, env = {} }: ClusterOptions, dir: string): string | undefined {
  const way = env['TASKFLOW_MAIL'] ?? (ports === 'default' && env['TASKFLOW_ENV'] !== 'production' ? 'folder' : 'off');
  return way === 'folder' ? (env[settingOf('scheduler', 'MAIL_FOLDER')] ?? join(dir, 'mails')) : undefined;
}

interface Shared {
  readonly options: ClusterOptions;
  readonly redisUrl: string;
  readonly addresses: Record<ServiceName, string>;
  readonly mailFolder: string | undefined;
  /** Where links of mails lead. */
  readonly site: string | undefined;
}

/** By a name for which browsers keep locks, also without TLS. */
function consoleUrl(places: readonly Place[], { tls }: ClusterOptions): string | undefined {
  const gateway = places.find(({ service }) => service === 'gateway');
  return gateway && `${tls === undefined ? 'http' : 'https'}://localhost:${gateway.callsPort}`;
}

function sharedSettings({ options, redisUrl, addresses, mailFolder, site }: Shared): Record<string, string> {
  return {
    TASKFLOW_ENV: options.ports === 'default' ? 'development' : 'test',
    TASKFLOW_HOST: '127.0.0.1',
    TASKFLOW_EXIT_WITH_PARENT: '1',
    TASKFLOW_REDIS_URL: redisUrl,
    ...(options.namespace === undefined
      ? {}
      : {
          TASKFLOW_QUEUE_PREFIX: `taskflow-${options.namespace}`,
          TASKFLOW_LIMITS_PREFIX: `taskflow-${options.namespace}`,
        }),
    ...(mailFolder && { TASKFLOW_MAIL: 'folder', [settingOf('scheduler', 'MAIL_FOLDER')]: mailFolder }),
    ...(mailFolder && site && { [settingOf('scheduler', 'MAIL_SITE_URL')]: site }),
    // All tests come from one address; a cluster for people keeps the contract's limits.
    ...(options.ports === 'default' ? {} : { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}' }),
    ...Object.fromEntries(serviceNames.map((service) => [settingOf(service, 'ADDRESS'), addresses[service]])),
  };
}

function makeDatabaseUrls({ postgresAdminUrl, namespace }: ClusterOptions, dir: string): Record<ServiceName, string> {
  return forEachService((service) => {
    const name = namespace === undefined ? `taskflow_${service}` : `taskflow_${service}_${namespace}`;
    const url = new URL(postgresAdminUrl ?? '');
    url.username = name;
    url.password = keepSecret(join(dir, `${service}.database-password`), randomPassword);
    url.pathname = `/${name}`;
    return url.href;
  });
}

/** Gives each cluster on a shared Redis a logical database of its own, if the server has more than the default 16. */
async function ownRedisDatabase(redisUrl: string, namespace: string | undefined): Promise<string> {
  if (namespace === undefined) return redisUrl;
  const number = await withConnection(redisUrl, async (redis) => {
    const [, count] = (await redis.config('GET', 'databases')) as [string, string];
    // 16 is Redis's own default: too few to hand out, so the queue prefix alone keeps such clusters apart.
    if (Number(count) <= 16) return undefined;
    return 1 + ((await redis.incr('taskflow:clusters')) % (Number(count) - 1));
  });
  if (number === undefined) return redisUrl;
  const url = new URL(redisUrl);
  url.pathname = `/${number}`;
  return url.href;
}

type Place = Omit<Replica, 'env'>;

async function choosePlaces({ ports, replicas, env, services = serviceNames }: ClusterOptions): Promise<Place[]> {
  const places: Place[] = [];
  const taken = new Set<number>();
  const choose = async (service: ProcessName, kind: 'calls' | 'http', index: number): Promise<number> => {
    const given = env?.[portSettingsOf(service)[kind]];
    const wanted = given === undefined ? defaultPorts[service][kind] : Number(given);
    const port = ports === 'default' && index === 0 && wanted !== 0 ? wanted : await findFreePort(taken);
    taken.add(port);
    return port;
  };
  for (const service of services) {
    for (let index = 0; index < (replicas?.[service] ?? 1); index += 1) {
      const label = index === 0 ? service : `${service}-${index + 1}`;
      places.push({
        service,
        label,
        callsPort: await choose(service, 'calls', index),
        httpPort: await choose(service, 'http', index),
      });
    }
  }
  return places;
}

export function addressOf({ callsPort }: Pick<Replica, 'callsPort'>): string {
  return `127.0.0.1:${callsPort}`;
}

/** Where the services find each other. */
async function routeCallers(
  { route = async (_callee, address) => address }: ClusterOptions,
  places: readonly Place[],
): Promise<Record<ServiceName, string>> {
  const routed = await Promise.all(
    places.flatMap(({ service, ...place }) =>
      isService(service) ? [route(service, addressOf(place)).then((address) => ({ service, address }))] : [],
    ),
  );
  return forEachService((service) =>
    targetOf(routed.filter((place) => place.service === service).map(({ address }) => address)),
  );
}

/** Several replicas are one target for the callers' load balancing. A service that is not started has an address that refuses. */
export function targetOf(addresses: readonly string[]): string {
  if (addresses.length === 0) return '127.0.0.1:1';
  return addresses.length === 1 ? (addresses[0] as string) : `ipv4:${addresses.join(',')}`;
}
