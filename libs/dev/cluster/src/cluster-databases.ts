import { join } from 'node:path';
import type { ClusterOptions } from './cluster-options.ts';
import { hostEnvironment, type ClusterSettings } from './cluster-settings.ts';
import { provideMigratedDatabase } from './migrated-databases.ts';
import { programOf } from './program.ts';
import { rejectAfterAll } from './reject-after-all.ts';
import { runScript } from './run-script.ts';
import { isService, serviceNames, settingOf } from './service-names.ts';

interface Preparation {
  readonly options: ClusterOptions;
  readonly settings: ClusterSettings;
  readonly dir: string;
}

/** Creates the databases of the cluster's services, unless they are given, and migrates them. */
export async function prepareDatabases({ options, settings, dir }: Preparation): Promise<void> {
  if (options.copyDatabases === true) return copyDatabases(options, settings);
  const urls = Object.fromEntries(
    serviceNames.map((service) => [settingOf(service, 'DATABASE_URL'), settings.databaseUrls[service]]),
  );
  if (options.databaseUrls === undefined) {
    options.report?.('creating roles and databases');
    const env = { ...hostEnvironment(), ...urls, TASKFLOW_ADMIN_DATABASE_URL: options.postgresAdminUrl ?? '' };
    await runScript({
      title: 'provisioning',
      program: await programOf('libs/db/bin/provision.ts', options),
      env,
      logFile: join(dir, 'logs', 'provision.log'),
      signal: options.signal,
    });
  }
  options.report?.('migrating the databases');
  const first = settings.replicas.filter((replica) => replica.label === replica.service && isService(replica.service));
  const runs = first.map(async ({ service, env }) =>
    runScript({
      title: `migrating ${service}`,
      program: await programOf(`services/${service}/src/migrate.ts`, options),
      env,
      logFile: join(dir, 'logs', `${service}-migrate.log`),
      signal: options.signal,
    }),
  );
  await rejectAfterAll(runs);
}

async function copyDatabases(
  { postgresAdminUrl = '', services = serviceNames }: ClusterOptions,
  { databaseUrls }: ClusterSettings,
): Promise<void> {
  await rejectAfterAll(
    services
      .filter(isService)
      .map(async (service) => provideMigratedDatabase(postgresAdminUrl, service, databaseUrls[service])),
  );
}
