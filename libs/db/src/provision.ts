import { Client } from 'pg';
import { ensureRole, type ServiceRole } from './service-role.ts';

/** A database and its one role, which owns it. */
export interface OwnedDatabase {
  /** The name of the setting, for messages. */
  name: string;
  /** postgres://role:password@host:port/database */
  url: string;
}

export interface ProvisionOptions {
  /** URL of a superuser, or of a role with CREATEROLE and CREATEDB. */
  adminUrl: string;
  databases: readonly OwnedDatabase[];
  report?: (line: string) => void;
}

interface Wanted extends ServiceRole {
  database: string;
}

/** Concurrent provisioning runs take turns. */
const lockKey = 'taskflow provisioning';

/**
 * Creates what is missing and corrects what differs: role, password, what the server logs of the role, database, owner,
 * and that nobody else may connect. Reports what the administrator may not set. Running it again changes nothing.
 * Throws when two services would share a role or a database.
 */
export async function provision({ adminUrl, databases, report = () => undefined }: ProvisionOptions): Promise<void> {
  const wanted = databases.map(read);
  assertDistinct(databases, wanted);
  const admin = new Client({
    connectionString: adminUrl,
    application_name: 'taskflow provisioning',
    connectionTimeoutMillis: 10_000,
    lock_timeout: 120_000,
  });
  await admin.connect();
  try {
    await admin.query('select pg_advisory_lock(hashtextextended($1, 0))', [lockKey]);
    for (const entry of wanted) {
      await ensureRole(admin, entry, report);
      await ensureDatabase(admin, entry);
      report(`database ${entry.database}, role ${entry.role}: ready`);
    }
  } finally {
    await admin.end();
  }
}

function read({ name, url }: OwnedDatabase): Wanted {
  const { username, password, pathname } = new URL(url);
  const wanted = {
    role: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
  };
  for (const [part, value] of Object.entries(wanted))
    if (value === '') throw new Error(`${name}: the URL has no ${part}`);
  return wanted;
}

function assertDistinct(databases: readonly OwnedDatabase[], wanted: readonly Wanted[]): void {
  for (const part of ['role', 'database'] as const) {
    wanted.forEach((entry, index) => {
      const first = wanted.findIndex((other) => other[part] === entry[part]);
      if (first < index)
        throw new Error(
          `${databases[first]?.name} and ${databases[index]?.name} name the same ${part}: each service needs its own`,
        );
    });
  }
}

async function ensureDatabase(admin: Client, { role, database }: Wanted): Promise<void> {
  const name = admin.escapeIdentifier(database);
  const owner = admin.escapeIdentifier(role);
  const { rows } = await admin.query<{ owner: string }>(
    'select pg_get_userbyid(datdba) as owner from pg_database where datname = $1',
    [database],
  );
  if (rows.length === 0) await admin.query(`create database ${name} owner ${owner}`);
  else if (rows[0]?.owner !== role) await admin.query(`alter database ${name} owner to ${owner}`);
  await admin.query(`revoke all on database ${name} from public`);
}
