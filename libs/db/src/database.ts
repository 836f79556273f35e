import type { EntityManager, MikroORM, PostgreSqlConnection } from '@mikro-orm/postgresql';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { AppError } from '#libs/errors';
import { isTracing, type Logger, type Metrics } from '#libs/runtime';
import { createCredentials, type Credentials } from './credentials.ts';
import { createControlConnection } from './control-connection.ts';
import type { ConstraintErrors } from './database-errors.ts';
import { createGroupCommit } from './group-commit.ts';
import { observeGroups } from './group-metrics.ts';
import type { Ask, GroupWrite } from './group-member.ts';
import type { GroupPlan } from './group-transaction.ts';
import { migrationNames } from './migration-files.ts';
import { createOrm, migrationsTable, plannerSettings, sessionLimits, type Entities } from './orm.ts';
import { createReader, type SqlReader } from './reader.ts';
import { createSilence, type Silence } from './silence.ts';
import { createSnapshots, type Snapshots } from './snapshot.ts';
import { warnOfStatementLogging } from './statement-logging.ts';
import { traceStatements } from './statement-spans.ts';
import { createUnitOfWork, type OrderedUnitOfWork, type UnitOfWork } from './unit-of-work.ts';

/** What a service's database consists of. The same object opens and migrates it. */
export interface DatabaseDefinition {
  url: string;
  /** The same URL with earlier or later passwords of the role. */
  previousUrls?: readonly string[] | undefined;
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
  readonly snapshots: Snapshots;
  /** For connections beside those of the pool. */
  readonly credentials: Credentials;
  /** The name of the last migration of this program; '' without any. */
  readonly schemaVersion: string;
  /** `constraints` says which AppError the violation of a constraint means, by the constraint's name. */
  unitOfWork<R>(repositories: (em: EntityManager) => R, constraints?: ConstraintErrors): OrderedUnitOfWork<R>;
  /**
   * A unit of work whose works share a transaction when they arrive while others are carried out. `alone` carries out
   * the same works one by one.
   */
  groupCommit<R, Row, W extends GroupWrite, A extends Ask = Ask>(
    plan: GroupPlan<R, Row, W, A>,
    alone: UnitOfWork<R>,
  ): UnitOfWork<R>;
  /** Throws AppError when the database is out of reach, or when a migration of this program has not run yet. */
  check(): Promise<void>;
  /** Waits at most `graceMs` (default 5 s) for connections in use. Running work fails from then on. */
  close(graceMs?: number): Promise<void>;
}

/** Opens a service's database. It connects at the first use, so opening succeeds while PostgreSQL is away. */
export function openDatabase(options: DatabaseOptions): Promise<Database> {
  const evidence = createEvidence(options.poolSize);
  let own: Pool | undefined;
  const onPoolCreated = (created: Pool): void => {
    own = created;
    watchPool(created, options);
    evidence.watch(created);
    created.on('release', (error) => {
      if (!error) silence.answered();
    });
  };
  const credentials = createCredentials(options.url, options.previousUrls);
  const orm = createOrm({ ...options, pool: { ...poolOptions(options), ...credentials.options }, onPoolCreated });
  const control = createControlConnection(credentials, options.applicationName);
  const connection = orm.driver.getConnection() as PostgreSqlConnection;
  const silence = createSilence(control, options.logger);
  let isClosed = false;
  // The ORM would silently open a new pool.
  const assertOpen = (): void => {
    if (isClosed) throw new AppError('unavailable', 'SHUTTING_DOWN', 'the server is shutting down');
  };
  const assertUsable = (): void => {
    assertOpen();
    silence.assertAnswering();
  };
  const connectIf = async (assert: () => void): Promise<PoolClient> => {
    assert();
    const pool = (await connection.getNativeClient()) as Pool;
    return credentials.connect(() => pool.connect());
  };
  const connect = (): Promise<PoolClient> => connectIf(assertUsable);
  const { explain } = silence;
  const reader = createReader({ connect, control, explain });
  // The check finds out whether a silent database answers again.
  const checkReader = createReader({ connect: () => connectIf(assertOpen), control, explain });
  const outcomes = options.metrics?.counter('db_transactions_total', 'Units of work by outcome.', ['outcome']);
  const onOutcome = (outcome: string): void => outcomes?.inc({ outcome });
  return Promise.resolve({
    orm,
    reader,
    snapshots: createSnapshots({ orm, connect, control, assertUsable, explain }),
    credentials,
    schemaVersion: migrationNames(options.migrationsPath).at(-1) ?? '',
    unitOfWork: (repositories, constraints) =>
      createUnitOfWork({ orm, connect, control, assertUsable, explain, repositories, constraints, onOutcome }),
    groupCommit: (plan, alone) => {
      const onGroup = observeGroups(options.metrics);
      return createGroupCommit({ orm, connect, control, assertUsable, explain, onOutcome, onGroup, plan, alone });
    },
    check: suspectWhenSlow(silence, createCheck(checkReader, options, evidence.isAnswering)),
    close: async (graceMs = 5000) => {
      if (isClosed) return;
      isClosed = true;
      silence.stop();
      await Promise.race([closePool(orm, own), pause(graceMs, undefined, { ref: false })]);
      await control.close();
    },
  });
}

/**
 * The ORM does not close a pool that it never used itself, and the pool's idle connections would keep the process
 * alive.
 */
async function closePool(orm: MikroORM, pool: Pool | undefined): Promise<void> {
  await orm.close();
  if (pool !== undefined && !pool.ending) await pool.end();
}

/** How long a call may wait for a connection. */
const connectionWaitMs = 3000;

/**
 * Whether all connections are in use and the server answers on them. A saturated pool is not a failure: a health check
 * queued behind the calls would remove a busy replica and overload the others.
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
      // A broken connection may be the first of many.
      pool.on('remove', () => (answeredAt = -Infinity));
    },
    isAnswering: () =>
      watched?.idleCount === 0 && watched.totalCount >= poolSize && performance.now() - answeredAt < connectionWaitMs,
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
    options: Object.entries(plannerSettings)
      .map(([name, value]) => `-c ${name}=${String(value)}`)
      .join(' '),
    ...sessionLimits,
  };
}

function watchPool(pool: Pool, { logger, metrics, poolSize }: DatabaseOptions): void {
  if (isTracing()) pool.on('connect', traceStatements);
  pool.on('error', (error: Error & { code?: string }) =>
    logger.warn({ code: error.code }, 'idle database connection lost'),
  );
  const connections = metrics?.gauge(
    'db_connections',
    'Connections of the pool by state; waiting counts requests for one.',
    ['state'],
  );
  if (connections === undefined) return;
  metrics?.gauge('db_connections_max', 'Connections that the pool may hold.').set(poolSize);
  const measure = (): void => {
    connections.set({ state: 'idle' }, pool.idleCount);
    connections.set({ state: 'in_use' }, pool.totalCount - pool.idleCount);
    connections.set({ state: 'waiting' }, pool.waitingCount);
  };
  for (const event of ['acquire', 'release', 'remove'] as const) pool.on(event, measure);
}

/** A check that takes longer than this asks whether the database answers at all. */
const slowCheckMs = 800;

function suspectWhenSlow({ suspect, answered }: Silence, check: () => Promise<void>): () => Promise<void> {
  return async () => {
    const timer = setTimeout(suspect, slowCheckMs);
    await check().finally(() => clearTimeout(timer));
    answered();
  };
}

function createCheck(
  reader: SqlReader,
  { migrationsPath, logger }: DatabaseOptions,
  isAnswering: () => boolean,
): () => Promise<void> {
  let isMigrated = false;
  return async () => {
    if (isMigrated) {
      if (isAnswering()) return;
      await reader.query({ name: 'check', text: 'select 1' }, []);
      return;
    }
    const table = await reader.query<{ found: boolean }>(
      { name: 'check_table', text: 'select to_regclass($1) is not null as found' },
      [migrationsTable],
    );
    const applied =
      table[0]?.found === true
        ? await reader.query<{ name: string }>({ name: 'check_names', text: `select name from ${migrationsTable}` }, [])
        : [];
    const names = new Set(applied.map((row) => row.name));
    if (migrationNames(migrationsPath).some((name) => !names.has(name))) {
      throw new AppError('unavailable', 'DATABASE_UNAVAILABLE', 'the database has not been migrated yet', {
        details: { retryAfterMs: 1000 },
      });
    }
    isMigrated = true;
    await warnOfStatementLogging(reader, logger);
  };
}
