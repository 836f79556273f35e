import { setTimeout as pause } from 'node:timers/promises';
import { describePortHolder, findPortHolder } from './port-holder.ts';
import { isPortFree } from './ports.ts';
import {
  defaultPorts,
  forEachService,
  portSettingsOf,
  processNames,
  serviceNames,
  settingOf,
  type ServiceName,
} from './service-names.ts';

/** What `npm start` reads from its arguments and its environment. */
export interface StartSettings {
  readonly demonstrate: boolean;
  /** Connections are secured by certificates of an authority of this machine. */
  readonly tls: boolean;
  /** All four, or undefined when databases are created on the private PostgreSQL or the administrator's. */
  readonly databaseUrls: Record<ServiceName, string> | undefined;
  readonly postgresAdminUrl: string | undefined;
  readonly redisUrl: string | undefined;
  /** The TASKFLOW_ settings that are passed on to every service: none that opens a database. */
  readonly env: Readonly<Record<string, string>>;
}

/** Throws naming what is wrong. */
export function readStartSettings(args: readonly string[], environment: NodeJS.ProcessEnv): StartSettings {
  const unknown = args.filter((arg) => arg !== '--no-demo' && arg !== '--tls');
  if (unknown.length > 0) throw new Error(`npm start does not know ${unknown.join(' ')}; it knows --no-demo and --tls`);
  const env = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith('TASKFLOW_') && value ? [[name, value]] : [],
    ),
  );
  const passedOn = Object.entries(env).filter(
    ([name]) => !name.endsWith('_DATABASE_URL') && !name.startsWith('TASKFLOW_TEST_'),
  );
  return {
    demonstrate: !args.includes('--no-demo'),
    tls: args.includes('--tls'),
    databaseUrls: readDatabaseUrls(env),
    postgresAdminUrl: env['TASKFLOW_ADMIN_DATABASE_URL'],
    redisUrl: env['TASKFLOW_REDIS_URL'],
    env: Object.fromEntries(passedOn),
  };
}

function readDatabaseUrls(env: Readonly<Record<string, string>>): Record<ServiceName, string> | undefined {
  const missing = serviceNames
    .map((service) => settingOf(service, 'DATABASE_URL'))
    .filter((name) => env[name] === undefined);
  if (missing.length === serviceNames.length) return undefined;
  if (missing.length > 0)
    throw new Error(
      `some services have a database URL and others have none: set ${missing.join(', ')} too, or none of the four`,
    );
  return forEachService((service) => env[settingOf(service, 'DATABASE_URL')] ?? '');
}

/** Throws naming every port that is taken, with the setting that changes it. */
export async function checkServicePorts(env: Readonly<Record<string, string>>): Promise<void> {
  const faults: string[] = [];
  const seen = new Set<number>();
  const host = env['TASKFLOW_HOST'] ?? '127.0.0.1';
  for (const service of processNames) {
    for (const kind of ['calls', 'http'] as const) {
      const setting = portSettingsOf(service)[kind];
      const port = Number(env[setting] ?? defaultPorts[service][kind]);
      const fault = await faultOf({ port, host, seen });
      if (fault !== undefined)
        faults.push(`${setting}=${env[setting] ?? port}: ${fault}; set ${setting} to another port (0 = any free one)`);
      seen.add(port);
    }
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

async function faultOf({
  port,
  host,
  seen,
}: {
  port: number;
  host: string;
  seen: ReadonlySet<number>;
}): Promise<string | undefined> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return 'this is no port';
  if (port === 0) return undefined;
  if (seen.has(port)) return 'two listeners cannot share one port';
  if (await isSoonFree(port, host)) return undefined;
  const holder = findPortHolder(port);
  return `port ${port} is taken: ${holder === undefined ? 'by another program' : describePortHolder(holder)}`;
}

/** How long a connection of somebody else may keep a port that it got by chance. */
const waitMs = 5_000;

/**
 * The default ports lie in the range from which Linux takes the ports of outgoing connections; most of those end soon. A
 * program that listens there stays.
 */
async function isSoonFree(port: number, host: string): Promise<boolean> {
  const giveUp = performance.now() + waitMs;
  while (!(await isPortFree(port, host))) {
    if (findPortHolder(port)?.listens !== false || performance.now() > giveUp) return false;
    await pause(100);
  }
  return true;
}
