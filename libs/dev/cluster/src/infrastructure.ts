import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startTimeOf, tryLock } from '../boot/lock.mjs';
import { clearLeftovers, openGuard, type Guard } from './guard.ts';
import { instanceFolder } from './instance.ts';
import { choosePostgresUser, type OsUser } from './os-user.ts';
import { startPostgres, type PostgresServer } from './postgres.ts';
import type { ShutdownMode } from './private-server.ts';
import { signalFamily } from './processes.ts';
import { startRedis, type RedisServer } from './redis.ts';

export interface InfrastructureOptions {
  /** Name of the instance; its folder is found again by it. Left out: a folder of its own that `stop` deletes. */
  readonly name?: string;
  /** true for data that must outlive the process and the machine's power; false is faster. Default: whether there is a name. */
  readonly durable?: boolean;
  /** An administrator's URL: this PostgreSQL is used and none is started. */
  readonly postgresUrl?: string | undefined;
  /** This Redis is used and none is started. */
  readonly redisUrl?: string | undefined;
  /** Do not start PostgreSQL although no URL is given: every service has a database elsewhere. */
  readonly withoutPostgres?: boolean;
  readonly report?: (line: string) => void;
  /** Runs when leftovers of a killed run are gone, before anything is started; what it throws ends the start. */
  readonly beforeStart?: () => Promise<void>;
}

/** PostgreSQL and Redis, private or given. The caller stops it. */
export interface Infrastructure {
  /** The instance's folder. */
  readonly dir: string;
  readonly guard: Guard;
  /** Empty when there is no PostgreSQL to administer (`withoutPostgres`). */
  readonly postgresAdminUrl: string;
  readonly redisUrl: string;
  /** The nine below throw for a server that was given by URL. */
  stopRedis(): Promise<void>;
  startRedis(): Promise<void>;
  /** It keeps its connections and answers nobody. */
  freezeRedis(): void;
  thawRedis(): void;
  /** The same: all of its processes. */
  freezePostgres(): void;
  thawPostgres(): void;
  stopPostgres(mode?: ShutdownMode): Promise<void>;
  startPostgres(): Promise<void>;
  /** Stops and starts it on the same port. `immediate` is a crash: recovery runs at the start. */
  restartPostgres(mode?: ShutdownMode): Promise<void>;
  stop(): Promise<void>;
}

export async function startInfrastructure(options: InfrastructureOptions = {}): Promise<Infrastructure> {
  const temporary = options.name === undefined;
  const name = options.name ?? `run-${process.pid}-${randomBytes(4).toString('hex')}`;
  const user = choosePostgresUser();
  const dir = instanceFolder(name, user);
  if (temporary) await removeAbandonedRuns(dirname(dir), options.report ?? (() => undefined));
  const lock = tryLock(join(dir, 'lock'));
  if (lock.holder !== undefined) {
    throw new Error(
      `the cluster of this checkout runs already, as process ${lock.holder.pid}: use that one, or stop it first`,
    );
  }
  const finish = (): void => {
    lock.release();
    if (temporary) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return await startLocked({ options: { durable: !temporary, ...options }, dir, user, temporary, finish });
  } catch (error) {
    finish();
    throw error;
  }
}

/** Folders of runs that were killed together with their watchdog; the pid in the name tells whether a run is still alive. */
async function removeAbandonedRuns(home: string, report: (line: string) => void): Promise<void> {
  for (const name of readdirSync(home)) {
    const pid = /^run-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || startTimeOf(Number(pid)) !== undefined) continue;
    const dir = join(home, name);
    await clearLeftovers(dir, report);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Locked {
  readonly options: InfrastructureOptions;
  readonly dir: string;
  readonly user: OsUser | undefined;
  readonly temporary: boolean;
  readonly finish: () => void;
}

async function startLocked({ options, dir, user, temporary, finish }: Locked): Promise<Infrastructure> {
  const report = options.report ?? ((): void => undefined);
  await clearLeftovers(dir, report);
  await options.beforeStart?.();
  const guard = openGuard(dir, temporary);
  const shared = { durable: options.durable ?? false, guard, report };
  const wantsPostgres = options.postgresUrl === undefined && options.withoutPostgres !== true;
  const [postgres, redis] = await Promise.allSettled([
    wantsPostgres ? startPostgres({ ...shared, dir: join(dir, 'postgres'), user }) : undefined,
    options.redisUrl === undefined ? startRedis({ ...shared, dir: join(dir, 'redis') }) : undefined,
  ]);
  if (postgres.status === 'rejected' || redis.status === 'rejected') {
    await guard.close();
    throw [postgres, redis].find((result) => result.status === 'rejected')?.reason;
  }
  return assemble({ options, dir, guard, finish, postgres: postgres.value, redis: redis.value });
}

interface Parts {
  readonly options: InfrastructureOptions;
  readonly dir: string;
  readonly guard: Guard;
  readonly finish: () => void;
  readonly postgres: PostgresServer | undefined;
  readonly redis: RedisServer | undefined;
}

function assemble({ options, dir, guard, finish, postgres, redis }: Parts): Infrastructure {
  const own = <T>(server: T | undefined): T => {
    if (server === undefined) throw new Error('this server was given by its URL: only its owner may stop or start it');
    return server;
  };
  let stopped = false;
  return {
    dir,
    guard,
    postgresAdminUrl: postgres?.adminUrl ?? options.postgresUrl ?? '',
    redisUrl: redis?.url ?? options.redisUrl ?? '',
    stopRedis: async () => own(redis).stop(),
    startRedis: async () => own(redis).start(),
    freezeRedis: () => void process.kill(own(redis).pid, 'SIGSTOP'),
    thawRedis: () => void process.kill(own(redis).pid, 'SIGCONT'),
    freezePostgres: () => signalFamily(own(postgres).pid, 'SIGSTOP'),
    thawPostgres: () => signalFamily(own(postgres).pid, 'SIGCONT'),
    stopPostgres: async (mode) => own(postgres).stop(mode),
    startPostgres: async () => own(postgres).start(),
    restartPostgres: async (mode) => {
      await own(postgres).stop(mode);
      await own(postgres).start();
    },
    stop: async () => {
      if (stopped) return;
      stopped = true;
      await redis?.stop();
      await postgres?.stop();
      await guard.close();
      finish();
    },
  };
}
