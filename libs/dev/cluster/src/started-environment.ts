import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveClusterSettings } from './cluster-settings.ts';
import { instanceFolder } from './instance.ts';
import { choosePostgresUser } from './os-user.ts';
import type { ServiceName } from './service-names.ts';

/** The settings of a service of `npm start` in this checkout, for a command on its database. Throws unless that runs. */
export async function startedEnvironment(service: ServiceName): Promise<NodeJS.ProcessEnv> {
  const dir = instanceFolder('start', choosePostgresUser());
  const port = readPostgresPort(join(dir, 'postgres', 'data', 'postmaster.pid'));
  if (port === undefined)
    throw new Error(
      'npm start does not run in this checkout: start it, or name another database with TASKFLOW_AUTH_DATABASE_URL and the other settings of auth',
    );
  const { replicas } = await resolveClusterSettings(
    {
      ports: 'default',
      postgresAdminUrl: `postgres://127.0.0.1:${port}`,
      // A command on the database asks no Redis.
      redisUrl: 'redis://127.0.0.1:1',
      env: ownSettings(),
    },
    dir,
  );
  return replicas.find((replica) => replica.service === service)?.env ?? {};
}

/** What `npm start` was given by the environment may be given to the command, too. */
function ownSettings(): Record<string, string> {
  const given = Object.entries(process.env).filter(([name, value]) => name.startsWith('TASKFLOW_') && value);
  return Object.fromEntries(given) as Record<string, string>;
}

/** PostgreSQL writes its port into the fourth line. */
function readPostgresPort(pidFile: string): number | undefined {
  if (!existsSync(pidFile)) return undefined;
  const port = Number(readFileSync(pidFile, 'utf8').split('\n')[3]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}
