import { provision } from '#libs/db';
import { ConfigError, envTypes, loadConfig } from '#libs/runtime';

const services = ['AUTH', 'USERS', 'TASKS', 'SCHEDULER'] as const;
const settings = services.map((service) => `TASKFLOW_${service}_DATABASE_URL` as const);
const adminUrl = envTypes.url('postgres:', 'postgresql:');
/** A role's password becomes the newest. */
const newestUrl = envTypes.databaseUrls().transform(([newest]) => newest);

try {
  const config = loadConfig({
    TASKFLOW_ADMIN_DATABASE_URL: adminUrl,
    ...Object.fromEntries(settings.map((name) => [name, newestUrl])),
  }) as Record<string, string>;
  await provision({
    adminUrl: config['TASKFLOW_ADMIN_DATABASE_URL'] ?? '',
    databases: settings.map((name) => ({ name, url: config[name] ?? '' })),
    report: (line) => console.log(line),
  });
} catch (error) {
  process.exitCode = 1;
  if (error instanceof ConfigError) console.error(error.message);
  else console.error(`provisioning failed: ${error instanceof Error ? error.message : 'unknown error'}`);
}
