import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import type { Pool } from 'pg';
import { assertCallGoesOn, RefusedStatement, unstorableText } from './database-errors.ts';

export type Entities = NonNullable<Options['entities']>;
export type Migrations = NonNullable<NonNullable<Options['migrations']>['migrationsList']>;

/** Name of the table that records which migrations have run. */
export const migrationsTable = 'schema_migrations';

/** Limits of every session; a call's own deadline narrows them for its transaction. */
export const sessionLimits = {
  statement_timeout: 15_000,
  lock_timeout: 3_000,
  /** A transaction whose process is stuck must not hold its locks for longer. */
  idle_in_transaction_session_timeout: 10_000,
} as const;

/** What one flush writes to a table is one statement, up to here. */
const rowsPerStatement = 500;

export interface OrmOptions {
  url: string;
  entities: Entities;
  migrations?: Migrations;
  /** Options of pg.Pool beyond the URL. */
  pool: Record<string, unknown>;
  onPoolCreated?: (pool: Pool) => void;
}

/** An ORM that connects at the first statement. It never creates a database, keeps no cache files and logs nothing. */
export function createOrm({ url, entities, migrations = [], pool, onPoolCreated }: OrmOptions): MikroORM {
  return new MikroORM({
    clientUrl: url,
    dbName: decodeURIComponent(new URL(url).pathname.slice(1)),
    entities,
    extensions: [Migrator],
    discovery: { warnWhenNoEntities: false },
    ensureDatabase: false,
    debug: false,
    batchSize: rowsPerStatement,
    metadataCache: { enabled: false },
    onQuery: guardQuery,
    // connectionString makes pg read the whole URL, with sslmode and the like, which the ORM does not.
    driverOptions: { connectionString: url, ...pool, ...(onPoolCreated && { onPoolCreated }) },
    // Functions and triggers are written in migrations only; they are no part of what the entities say.
    schemaGenerator: { ignoreRoutines: true, ignoreTriggers: true },
    migrations: { tableName: migrationsTable, migrationsList: migrations, snapshot: false, silent: true },
  });
}

/**
 * The ORM writes values into the statement's text, where a NUL would end it: PostgreSQL would run half of a statement.
 * And nothing begins for a call that is over.
 */
function guardQuery(sql: string, parameters: readonly unknown[]): string {
  try {
    assertCallGoesOn();
  } catch (error) {
    throw new RefusedStatement(error);
  }
  if (sql.includes('\0') || parameters.some(holdsNul)) throw new RefusedStatement(unstorableText());
  return sql;
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  return Array.isArray(value) && value.some(holdsNul);
}
