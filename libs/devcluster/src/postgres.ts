import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { Guard } from './guard.ts';
import { keepSecret, makePrivateFolder } from './instance.ts';
import { choosePostgresUser, type OsUser } from './os-user.ts';
import { findFreePort } from './ports.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { stopLeftoverPostgres } from './postgres-leftover.ts';
import { refOfChild, stopProcess, type ProcessRef } from './processes.ts';
import { lastLines } from './log-file.ts';

export interface PostgresOptions {
  /** Private folder of this server: data, password and log are kept in it. The PostgreSQL user must be able to enter it. */
  readonly dir: string;
  /** false switches fsync off: faster, safe against a crash of the process, not against one of the machine. */
  readonly durable: boolean;
  readonly guard: Guard;
  /** Who PostgreSQL runs as when we are root; chosen by `choosePostgresUser` when left out. */
  readonly user?: OsUser | undefined;
  readonly report?: (line: string) => void;
}

export type ShutdownMode = 'fast' | 'immediate';

export interface PostgresServer {
  readonly port: number;
  /** URL of the superuser, with its password. */
  readonly adminUrl: string;
  readonly pid: number;
  readonly logFile: string;
  /** fast: sessions are ended and everything is written; immediate: as in a crash. */
  stop(mode?: ShutdownMode): Promise<void>;
  /** Starts a stopped server on the same port with the same data. */
  start(): Promise<void>;
}

const superuser = 'taskflow_admin';
/** Recovery after a crash reads the write-ahead log first; a server that is alive is given this long. */
const startLimitMs = 120_000;

/** Starts a private PostgreSQL on 127.0.0.1 at a free port, creating its data at the first start. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const user = 'user' in options ? options.user : choosePostgresUser();
  makePrivateFolder(options.dir, user);
  const server = new PrivatePostgres(options, user, findPostgresBinaries(user));
  await server.prepare();
  await server.startOnFreePort();
  return server;
}

class PrivatePostgres implements PostgresServer {
  port = 0;
  readonly logFile: string;
  readonly #options: PostgresOptions;
  readonly #user: OsUser | undefined;
  readonly #binaries: PostgresBinaries;
  readonly #data: string;
  readonly #password: string;
  #process: ProcessRef | undefined;

  constructor(options: PostgresOptions, user: OsUser | undefined, binaries: PostgresBinaries) {
    this.#options = options;
    this.#user = user;
    this.#binaries = binaries;
    this.#data = join(options.dir, 'data');
    this.logFile = join(options.dir, 'postgres.log');
    this.#password = keepSecret(join(options.dir, 'password'));
  }

  get adminUrl(): string {
    return `postgres://${superuser}:${this.#password}@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number {
    if (this.#process === undefined) throw new Error('PostgreSQL is stopped');
    return this.#process.pid;
  }

  get #identity(): { uid?: number; gid?: number } {
    return this.#user === undefined ? {} : { uid: this.#user.uid, gid: this.#user.gid };
  }

  async prepare(): Promise<void> {
    if (existsSync(this.#data)) {
      this.#refuseOtherMajor();
      await stopLeftoverPostgres(this.#data, { superuser, password: this.#password }, this.#options.report ?? (() => undefined));
    } else {
      await this.#initialise();
    }
  }

  #refuseOtherMajor(): void {
    const found = readFileSync(join(this.#data, 'PG_VERSION'), 'utf8').trim();
    const wanted = this.#binaries.version.split('.')[0];
    if (found !== wanted) {
      throw new Error(`the data in ${this.#data} belongs to PostgreSQL ${found}, and this is PostgreSQL ${wanted}: move that folder away to begin with empty data`);
    }
  }

  async #initialise(): Promise<void> {
    // A half-made folder of an interrupted run never gets the final name.
    const draft = join(this.#options.dir, 'data.new');
    const passwordFile = join(this.#options.dir, 'initdb.password');
    for (const path of [draft, passwordFile]) rmSync(path, { recursive: true, force: true });
    makePrivateFolder(draft);
    writeFileSync(passwordFile, this.#password, { mode: 0o600 });
    if (this.#user !== undefined) {
      for (const path of [draft, passwordFile]) chownSync(path, this.#user.uid, this.#user.gid);
      chmodSync(draft, 0o700);
    }
    await this.#runInitdb(draft, passwordFile);
    rmSync(passwordFile);
    renameSync(draft, this.#data);
  }

  async #runInitdb(draft: string, passwordFile: string): Promise<void> {
    const args = [`--pgdata=${draft}`, `--username=${superuser}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'];
    args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions');
    if (!this.#options.durable) args.push('--no-sync');
    try {
      await promisify(execFile)(this.#binaries.initdb, args, { cwd: dirname(draft), env: serverEnvironment(), timeout: 120_000, ...this.#identity });
    } catch (error) {
      throw new Error(`initdb failed: ${(error as { stderr?: string }).stderr?.trim() || (error as Error).message}`, { cause: error });
    }
  }

  async startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.port = await findFreePort();
      try {
        return await this.start();
      } catch (error) {
        // Somebody else took the port between the choice and the start.
        if (attempt >= 3 || !(error as Error).message.includes('could not bind')) throw error;
      }
    }
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const log = openSync(this.logFile, 'a', 0o600);
    const child = spawn(this.#binaries.postgres, ['-D', this.#data, ...this.#settings()], {
      cwd: this.#data,
      env: serverEnvironment(),
      // A group of its own: Ctrl-C in the terminal must not stop it before the services have drained.
      detached: true,
      stdio: ['ignore', log, log],
      ...this.#identity,
    });
    closeSync(log);
    await this.#watch(child);
    await this.#waitUntilReady();
  }

  async #watch(child: ChildProcess): Promise<void> {
    const entry = await refOfChild(child);
    child.unref();
    this.#process = entry;
    this.#options.guard.watch({ ...entry, role: 'postgres' });
    child.once('exit', () => {
      if (this.#process !== entry) return;
      this.#process = undefined;
      this.#options.guard.forget(entry);
    });
  }

  #settings(): string[] {
    const settings: Record<string, string> = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      timezone: 'UTC',
      log_timezone: 'UTC',
      log_line_prefix: '%m [%p] %u@%d ',
      fsync: this.#options.durable ? 'on' : 'off',
      full_page_writes: this.#options.durable ? 'on' : 'off',
    };
    return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  }

  async #waitUntilReady(): Promise<void> {
    const until = performance.now() + startLimitMs;
    while (!(await answersQueries(this.adminUrl))) {
      if (this.#process === undefined) throw new Error(`PostgreSQL did not start. Its log, ${this.logFile}, ends with:\n${lastLines(this.logFile)}`);
      if (performance.now() > until) {
        await this.stop('immediate');
        throw new Error(`PostgreSQL was not ready after ${startLimitMs / 1000} s. Its log, ${this.logFile}, ends with:\n${lastLines(this.logFile)}`);
      }
      await pause(50);
    }
  }

  async stop(mode: ShutdownMode = 'fast'): Promise<void> {
    const entry = this.#process;
    if (entry === undefined) return;
    const steps = [
      ...(mode === 'fast' ? [{ signal: 'SIGINT', waitMs: 15_000 } as const] : []),
      { signal: 'SIGQUIT', waitMs: 10_000 } as const,
      { signal: 'SIGKILL', waitMs: 5_000 } as const,
    ];
    await stopProcess(entry, steps);
    this.#process = undefined;
    this.#options.guard.forget(entry);
  }
}

/** Nothing of our own environment: PG* variables would change what the server and initdb do. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

/** Whether a real connection gets an answer. A wrong password is thrown, since waiting would not help. */
export async function answersQueries(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '28P01') throw new Error('PostgreSQL refused the stored password: the password file and the data do not belong together', { cause: error });
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
