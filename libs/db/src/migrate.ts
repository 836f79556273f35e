import { Client } from 'pg';
import { ConfigError, createLogger, type Logger } from '#libs/runtime';
import type { Database, DatabaseDefinition } from './database.ts';
import { loadMigrations } from './migration-files.ts';
import { createOrm } from './orm.ts';
import { DatabaseFault, faultKind } from './sql-state.ts';

export { Migration } from '@mikro-orm/migrations';

export interface MigrateOptions extends DatabaseDefinition {
  logger: Logger;
}

/** How long one replica waits for another one's migration. */
const lockTimeoutMs = 120_000;
const lockKey = 'taskflow schema migrations';
/** Longer than a service waits: where all of a cluster starts at once on one machine, a migration that gave up would stop the rest. */
const connectionTimeoutMillis = 30_000;

/**
 * Brings the database to head, or down to empty. All pending migrations run in one transaction: all or none. An
 * advisory lock lets one process at a time in; those that waited find nothing left to do. Throws on failure.
 */
export async function migrate(options: MigrateOptions, direction: 'up' | 'down' = 'up'): Promise<void> {
  const { url, entities, logger } = options;
  const orm = createOrm({
    url,
    entities,
    migrations: await loadMigrations(options.migrationsPath),
    // No statement timeout: an index on a large table takes its time. But never queue all traffic behind our lock request.
    pool: { max: 1, application_name: 'taskflow migrations', connectionTimeoutMillis, lock_timeout: 10_000 },
  });
  const lock = new Client({ connectionString: url, application_name: 'taskflow migrations lock', connectionTimeoutMillis, lock_timeout: lockTimeoutMs });
  lock.on('error', () => undefined);
  try {
    await lock.connect();
    await lock.query('select pg_advisory_lock(hashtextextended($1, 0))', [lockKey]);
    const done = direction === 'up' ? await orm.migrator.up() : await orm.migrator.down({ to: 0 });
    logger.info({ direction, migrations: done.map((migration) => migration.name) }, 'database migrated');
  } finally {
    await lock.end().catch(() => undefined);
    await orm.close();
  }
}

/** The body of a migrate command: migrates to head and sets exit code 1 with a log line when anything fails. */
export async function runMigrateCommand(readOptions: () => MigrateOptions): Promise<void> {
  let logger = createLogger({ service: 'migrate', level: 'info' });
  try {
    const options = readOptions();
    logger = options.logger;
    await migrate(options);
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof ConfigError) logger.error({ faults: error.faults }, 'the configuration is not usable');
    else logger.error({ err: faultKind(error) === undefined ? error : new DatabaseFault(error as Error) }, 'migration failed');
  }
}

/** The statements that would still be needed to make the database what the entities say; none when they agree. */
export async function schemaDrift(database: Pick<Database, 'orm'>): Promise<string[]> {
  const sql = await database.orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: true });
  return sql.split('\n').map((line) => line.trim()).filter((line) => line !== '');
}
