import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import type { Pool } from 'pg';
import { BoundDriver } from './bound-driver.ts';
import { createCredentials } from './credentials.ts';
import { assertCallGoesOn, RefusedStatement, unstorableText } from './database-errors.ts';

export type Entities = NonNullable<Options['entities']>;
export type Migrations = NonNullable<NonNullable<Options['migrations']>['migrationsList']>;

/** Name of the table that records which migrations have run. */
export const migrationsTable = 'schema_migrations';

/** Limits of every session. A call's deadline narrows them for its transaction. */
export const sessionLimits = {
  statement_timeout: 15_000,
  lock_timeout: 3_000,
  /** A transaction whose process is stuck must not hold its locks for longer. */
  idle_in_transaction_session_timeout: 10_000,
} as const;

/** Statements take milliseconds; starting parallel workers or compiling expressions would take longer. */
export const plannerSettings = { max_parallel_workers_per_gather: 0, jit: 'off' } as const;

/** One flush writes up to this many rows to a table in one statement. */
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
    driver: BoundDriver,
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
    // Parses the whole URL, including sslmode and similar, which the ORM does not read.
    driverOptions: { ...createCredentials(url).options, ...pool, ...(onPoolCreated && { onPoolCreated }) },
    // Functions, triggers and the audit log, which has partitions, exist in migrations only, not in the entities.
    schemaGenerator: { ignoreRoutines: true, ignoreTriggers: true, ignoreSchema: ['audit'] },
    migrations: {
      tableName: migrationsTable,
      migrationsList: migrations,
      allOrNothing: false,
      snapshot: false,
      silent: true,
    },
  });
}

/** Refuses text with NUL, which PostgreSQL cannot store, and statements of a call that is over. */
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
