import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { hostEnvironment } from './cluster-settings.ts';
import { createDatabase, type TestDatabase } from './databases.ts';
import { randomPassword } from './instance.ts';
import { hashFiles, programOf, sourcesIn } from './program.ts';
import { runScript } from './run-script.ts';
import { settingOf, type ServiceName } from './service-names.ts';

/** The folders that decide a migrated schema: the service's migrations, and the libraries with shared tables. */
const sourcesOf = (service: ServiceName): string[] =>
  [`services/${service}/src/db`, 'libs/audit/src', 'libs/db/src', 'libs/events/src'].flatMap(sourcesIn);

/**
 * Creates a database with the service's current schema in milliseconds: a copy of a template that was migrated once on
 * this server. For tests that are not about migrations.
 */
export async function createMigratedDatabase(adminUrl: string, service: ServiceName): Promise<TestDatabase> {
  return createDatabase(adminUrl, await ensureTemplate(adminUrl, service));
}

/** The same for the database and the role that a service's URL names, as provisioning and migrating would have left them. */
export async function provideMigratedDatabase(adminUrl: string, service: ServiceName, url: string): Promise<void> {
  const template = await ensureTemplate(adminUrl, service);
  await withConnection(adminUrl, async (admin) => createOwned(admin, { url, template }));
  const name = databaseOf(url);
  await withConnection(reach(adminUrl, name), async (inside) =>
    inside.query(`reassign owned by ${escapeIdentifier(template)} to ${escapeIdentifier(roleOf(url))}`),
  );
}

interface OwnedCopy {
  readonly url: string;
  readonly template?: string;
}

async function createOwned(admin: Client, { url, template }: OwnedCopy): Promise<void> {
  const [role, name] = [escapeIdentifier(roleOf(url)), escapeIdentifier(databaseOf(url))];
  const from = template === undefined ? '' : ` template ${escapeIdentifier(template)}`;
  await admin.query(`create role ${role} login password ${escapeLiteral(decodeURIComponent(new URL(url).password))}`);
  // An administrator who is no superuser may create a database for a role only as its member.
  const { rows } = await admin.query<{ isMember: boolean }>(`select pg_has_role($1, 'set') as "isMember"`, [
    roleOf(url),
  ]);
  if (rows[0]?.isMember === false) await admin.query(`grant ${role} to current_user with set true, inherit true`);
  // As provisioning would have it, which libs/db/src/statement-logging.ts explains.
  for (const setting of [
    'log_error_verbosity = terse',
    'log_min_error_statement = panic',
    'log_parameter_max_length = 0',
  ]) {
    await admin.query(`alter role ${role} set ${setting}`).catch(ignoreMissingPower);
  }
  await admin.query(`create database ${name} owner ${role}${from}`);
  await admin.query(`revoke all on database ${name} from public`);
}

/** Only a superuser may set these; without them a service warns and works. */
function ignoreMissingPower(error: unknown): void {
  if ((error as { code?: string }).code !== '42501') throw error;
}

/** Returns the template's name. The role that owns its contents has the same name. */
async function ensureTemplate(adminUrl: string, service: ServiceName): Promise<string> {
  const name = `taskflow_template_${service}_${hashFiles(sourcesOf(service))}`;
  return withConnection(adminUrl, async (admin) => {
    if (await isReady(admin, name)) return name;
    // A second process waits here, and then finds the template.
    await admin.query('select pg_advisory_lock(hashtextextended($1, 0))', [name]);
    if (!(await isReady(admin, name))) await makeTemplate(admin, { adminUrl, service, name });
    return name;
  });
}

async function isReady(admin: Client, name: string): Promise<boolean> {
  const { rowCount } = await admin.query('select 1 from pg_database where datname = $1 and datistemplate', [name]);
  return rowCount === 1;
}

/** Only a database that is marked as a template is complete. An unmarked one was left by a process that died. */
async function makeTemplate(
  admin: Client,
  { adminUrl, service, name }: { adminUrl: string; service: ServiceName; name: string },
): Promise<void> {
  const quoted = escapeIdentifier(name);
  await admin.query(`drop database if exists ${quoted} with (force)`);
  await admin.query(`drop role if exists ${quoted}`);
  const url = Object.assign(new URL(reach(adminUrl, name)), { username: name, password: randomPassword() }).href;
  await createOwned(admin, { url });
  const dir = mkdtempSync(join(tmpdir(), 'taskflow-template-'));
  try {
    const env = { ...hostEnvironment(), [settingOf(service, 'DATABASE_URL')]: url };
    await runScript({
      title: `migrating the template of ${service}`,
      program: await programOf(`services/${service}/src/migrate.ts`),
      env,
      logFile: join(dir, 'log'),
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  // The role keeps what is in the database and not the database itself: "reassign owned" in a copy would take it away.
  await admin.query(`alter database ${quoted} owner to current_user`);
  // Nobody can connect any more: PostgreSQL does not copy a database in use.
  await admin.query(`alter database ${quoted} with is_template true allow_connections false`);
  await admin.query(`alter role ${quoted} nologin`);
}

const roleOf = (url: string): string => decodeURIComponent(new URL(url).username);

const databaseOf = (url: string): string => decodeURIComponent(new URL(url).pathname.slice(1));

function reach(adminUrl: string, database: string): string {
  return Object.assign(new URL(adminUrl), { pathname: `/${encodeURIComponent(database)}` }).href;
}

async function withConnection<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: url,
    application_name: 'taskflow template databases',
    connectionTimeoutMillis: 10_000,
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
