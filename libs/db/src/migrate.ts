import type { MikroORM } from '@mikro-orm/postgresql';
import { Client } from 'pg';
import {
  backoffMs,
  ConfigError,
  createLogger,
  readDatabaseUrl,
  sleep,
  type Logger,
  type ServiceConfig,
} from '#libs/runtime';
import type { Database, DatabaseDefinition } from './database.ts';
import { loadMigrations, readMigration, type NamedMigration } from './migration-files.ts';
import { createOrm } from './orm.ts';
import { DatabaseFault, faultKind } from './sql-state.ts';

export interface MigrateOptions extends DatabaseDefinition {
  logger: Logger;
}

/** How long a replica waits for another one's migration. */
const turnTimeoutMs = 120_000;
const lockKey = 'taskflow schema migrations';
/**
 * Longer than a service waits: when a whole cluster starts on one machine, a migration that gave up would stop the
 * others.
 */
const connectionTimeoutMillis = 30_000;
/**
 * A statement that waits for a table's lock makes all later ones wait behind it. So it waits briefly and is repeated.
 */
const lockTimeoutMs = 1_000;
const lockPatienceMs = 120_000;
const backoff = { firstMs: 500, maxMs: 5_000 };

/**
 * Migrates the database to head, or down to empty. Each migration has a transaction of its own, unless it is a
 * ConcurrentMigration; those before a failed one stay. A migration that does not get a table's lock within a second is
 * repeated for two minutes. An advisory lock admits one process at a time; the others then find nothing to do. Throws
 * on failure.
 */
export async function migrate(options: MigrateOptions, direction: 'up' | 'down' = 'up'): Promise<void> {
  const { url, entities, logger } = options;
  const migrations = await loadMigrations(options.migrationsPath);
  const orm = createOrm({
    url,
    entities,
    migrations,
    // There is no statement timeout, because building an index on a large table takes long.
    pool: { max: 1, application_name: 'taskflow migrations', connectionTimeoutMillis, lock_timeout: lockTimeoutMs },
  });
  const lock = new Client({
    connectionString: url,
    application_name: 'taskflow migrations lock',
    connectionTimeoutMillis,
    lock_timeout: turnTimeoutMs,
  });
  lock.on('error', () => undefined);
  try {
    await lock.connect();
    await lock.query('select pg_advisory_lock(hashtextextended($1, 0))', [lockKey]);
    const done =
      direction === 'up'
        ? await climb(orm, migrations, logger)
        : (await orm.migrator.down({ to: 0 })).map(({ name }) => name);
    logger.info({ direction, migrations: done }, 'database migrated');
  } finally {
    await lock.end().catch(() => undefined);
    await orm.close();
  }
}

async function climb(orm: MikroORM, migrations: readonly NamedMigration[], logger: Logger): Promise<string[]> {
  const pending = await orm.migrator.getPending();
  for (const { name } of pending) {
    const { migration, texts } = await readMigration(migrations.find((one) => one.name === name) as NamedMigration);
    const run = async (): Promise<unknown> => orm.migrator.up({ migrations: [name] });
    await withPatience(
      { name, logger },
      migration.isTransactional() ? run : async () => runConcurrently(orm, texts.join('\n'), run),
    );
  }
  return pending.map(({ name }) => name);
}

/** Repeats a migration that did not get a lock, and so had no effect. */
async function withPatience(
  { name, logger }: { name: string; logger: Logger },
  run: () => Promise<unknown>,
): Promise<void> {
  const giveUp = performance.now() + lockPatienceMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await run();
      return;
    } catch (error) {
      const kind = faultKind(error);
      if ((kind !== 'lock_timeout' && kind !== 'conflict') || performance.now() > giveUp) throw error;
      logger.warn({ migration: name, attempt }, 'a migration waits for a lock');
      await sleep(backoffMs(backoff, attempt));
    }
  }
}

const invalidText = `
  select quote_ident(c.relname) as name from pg_index i join pg_class c on c.oid = i.indexrelid
  where not i.indisvalid and c.relnamespace = current_schema()::regnamespace`;

/**
 * Building an index beside its writers waits for all older transactions but blocks nobody, so it may take any time. A
 * build that was broken off has left an invalid index, which IF NOT EXISTS would accept.
 */
async function runConcurrently(orm: MikroORM, text: string, run: () => Promise<unknown>): Promise<void> {
  await orm.driver.execute('set lock_timeout = 0');
  try {
    const invalid = await orm.driver.execute<{ name: string }[]>(invalidText);
    for (const { name } of invalid.filter((index) => namesIn(text).has(index.name)))
      await orm.driver.execute(`drop index concurrently if exists ${name}`);
    await run();
  } finally {
    await orm.driver.execute(`set lock_timeout = ${lockTimeoutMs}`);
  }
}

function namesIn(text: string): Set<string> {
  return new Set(text.match(/"[^"]+"|\w+/g));
}

/** The options of a command on a service's database. Reads only its URL from the environment; throws ConfigError. */
export function readCommandOptions(
  service: ServiceConfig['service'],
  define: (url: string) => DatabaseDefinition,
): DatabaseDefinition & { logger: Logger } {
  return { ...define(readDatabaseUrl(service)), logger: createLogger({ service, level: 'info' }) };
}

/** The body of a migrate command: migrates to head. */
export function runMigrateCommand(readOptions: () => MigrateOptions): Promise<void> {
  return runDatabaseCommand('migration', readOptions, migrate);
}

/** The body of a command on a database. When it fails, it sets exit code 1 and logs a line without values. */
export async function runDatabaseCommand<O extends { logger: Logger }>(
  name: string,
  readOptions: () => O,
  run: (options: O) => Promise<void>,
): Promise<void> {
  let logger = createLogger({ service: name, level: 'info' });
  try {
    const options = readOptions();
    logger = options.logger;
    await run(options);
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof ConfigError) logger.error({ faults: error.faults }, 'the configuration is not usable');
    else
      logger.error(
        { err: faultKind(error) === undefined ? error : new DatabaseFault(error as Error) },
        `${name} failed`,
      );
  }
}

/** Returns the statements that are missing to make the database match the entities. */
export async function schemaDrift(database: Pick<Database, 'orm'>): Promise<string[]> {
  const sql = await database.orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: true });
  return sql
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
