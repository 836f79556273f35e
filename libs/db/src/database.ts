import type { EntityManager, MikroORM, PostgreSqlConnection } from '@mikro-orm/postgresql';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { AppError } from '#libs/errors';
import { isTracing, type Logger, type Metrics } from '#libs/runtime';
import { createControlConnection } from './control-connection.ts';
import type { ConstraintErrors } from './database-errors.ts';
import { migrationNames } from './migration-files.ts';
import { createOrm, migrationsTable, sessionLimits, type Entities } from './orm.ts';
import { createReader, type SqlReader } from './reader.ts';
import { traceStatements } from './statement-spans.ts';
import { createUnitOfWork, type UnitOfWork } from './unit-of-work.ts';

/** What a service's database is made of; the same object serves to open and to migrate it. */
export interface DatabaseDefinition {
  url: string;
  entities: Entities;
  /** Absolute path of the folder with the migrations. */
  migrationsPath: string;
}

export interface DatabaseOptions extends DatabaseDefinition {
  /** How many connections this process may hold. */
  poolSize: number;
  logger: Logger;
  metrics?: Metrics;
  /** Shown in pg_stat_activity. */
  applicationName: string;
}

export interface Database {
  readonly orm: MikroORM;
  readonly reader: SqlReader;
  /** The name of the last migration of this program; '' without any. */
  readonly schemaVersion: string;
  /** `constraints` says which AppError the violation of a constraint means, by the constraint's name. */
  unitOfWork<R>(repositories: (em: EntityManager) => R, constraints?: ConstraintErrors): UnitOfWork<R>;
  /** Throws AppError when the database is out of reach, or when a migration of this program has not run yet. */
  check(): Promise<void>;
  /** Waits at most `graceMs` (default 5 s) for connections in use. Running work fails from then on. */
  close(graceMs?: number): Promise<void>;
}

/** Opens a service's database. Connects at the first use, so it succeeds also while PostgreSQL is away. */
export function openDatabase(options: DatabaseOptions): Promise<Database> {
  const evidence = createEvidence(options.poolSize);
  const onPoolCreated = (created: Pool): void => {
    watchPool(created, options);
    evidence.watch(created);
  };
  const orm = createOrm({ ...options, pool: poolOptions(options), onPoolCreated });
  const control = createControlConnection(options.url, options.applicationName);
  const connection = orm.driver.getConnection() as PostgreSqlConnection;
  let isClosed = false;
  // The ORM would silently open a new pool.
  const assertOpen = (): void => {
    if (isClosed) throw new AppError('unavailable', 'SHUTTING_DOWN', 'the server is shutting down');
  };
  const pool = async (): Promise<Pool> => {
    assertOpen();
    return (await connection.getNativeClient()) as Pool;
  };
  const reader = createReader(pool, control);
  const outcomes = options.metrics?.counter('db_transactions_total', 'Units of work by outcome.', ['outcome']);
  const onOutcome = (outcome: string): void => outcomes?.inc({ outcome });
  return Promise.resolve({
    orm,
    reader,
    schemaVersion: migrationNames(options.migrationsPath).at(-1) ?? '',
    unitOfWork: (repositories, constraints) => createUnitOfWork({ orm, pool, control, assertOpen, repositories, constraints, onOutcome }),
    check: createCheck(reader, options.migrationsPath, evidence.isAnswering),
    close: async (graceMs = 5000) => {
      if (isClosed) return;
      isClosed = true;
      await Promise.race([orm.close(), pause(graceMs, undefined, { ref: false })]);
      await control.close();
    },
  });
}

/** How long somebody may wait for a connection. */
const connectionWaitMs = 3000;

/**
 * Whether the server is seen to answer others while all connections are in use. A busy service is no ill one: a check that
 * waited behind its calls would take it out of service, and leave its calls to the next.
 */
function createEvidence(poolSize: number): { watch: (pool: Pool) => void; isAnswering: () => boolean } {
  let watched: Pool | undefined;
  let answeredAt = -Infinity;
  return {
    watch: (pool) => {
      watched = pool;
      pool.on('release', (error) => {
        if (!error) answeredAt = performance.now();
      });
      // One that broke may be the first of many.
      pool.on('remove', () => (answeredAt = -Infinity));
    },
    isAnswering: () => watched?.idleCount === 0 && watched.totalCount >= poolSize && performance.now() - answeredAt < connectionWaitMs,
  };
}

function poolOptions({ poolSize, applicationName }: DatabaseOptions): Record<string, unknown> {
  return {
    max: poolSize,
    application_name: applicationName,
    connectionTimeoutMillis: connectionWaitMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // The last resort against a server that is reachable and silent: longer than the server's own limit.
    query_timeout: sessionLimits.statement_timeout + 5000,
    // Statements take milliseconds: to start helping processes, or to compile expressions, would take longer than they do.
    options: '-c max_parallel_workers_per_gather=0 -c jit=off',
    ...sessionLimits,
  };
}

function watchPool(pool: Pool, { logger, metrics, poolSize }: DatabaseOptions): void {
  if (isTracing()) pool.on('connect', traceStatements);
  pool.on('error', (error: Error & { code?: string }) => logger.warn({ code: error.code }, 'idle database connection lost'));
  const connections = metrics?.gauge('db_connections', 'Connections of the pool by state; waiting counts requests for one.', ['state']);
  if (connections === undefined) return;
  metrics?.gauge('db_connections_max', 'Connections that the pool may hold.').set(poolSize);
  const measure = (): void => {
    connections.set({ state: 'idle' }, pool.idleCount);
    connections.set({ state: 'in_use' }, pool.totalCount - pool.idleCount);
    connections.set({ state: 'waiting' }, pool.waitingCount);
  };
  for (const event of ['acquire', 'release', 'remove'] as const) pool.on(event, measure);
}

function createCheck(reader: SqlReader, migrationsPath: string, isAnswering: () => boolean): () => Promise<void> {
  let isMigrated = false;
  return async () => {
    if (isMigrated) {
      if (isAnswering()) return;
      await reader.query({ name: 'check', text: 'select 1' }, []);
      return;
    }
    const table = await reader.query<{ found: boolean }>({ name: 'check_table', text: 'select to_regclass($1) is not null as found' }, [migrationsTable]);
    const applied = table[0]?.found === true ? await reader.query<{ name: string }>({ name: 'check_names', text: `select name from ${migrationsTable}` }, []) : [];
    const names = new Set(applied.map((row) => row.name));
    if (migrationNames(migrationsPath).some((name) => !names.has(name))) {
      throw new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'the database has not been migrated yet', { details: { retryAfterMs: 1000 } });
    }
    isMigrated = true;
  };
}
