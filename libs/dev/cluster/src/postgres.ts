import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { stopSteps } from './guard.ts';
import { makePrivateFolder } from './instance.ts';
import { choosePostgresUser, type OsUser } from './os-user.ts';
import { createData, identityOf, serverEnvironment } from './postgres-data.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { stopLeftoverPostgres } from './postgres-leftover.ts';
import { PrivateServer, type ServerOptions, type ShutdownMode } from './private-server.ts';

/** The PostgreSQL user must be able to enter the folder. */
export interface PostgresOptions extends ServerOptions {
  /** false switches fsync off: faster, safe against a crash of the process, not against one of the machine. */
  readonly durable: boolean;
  /** Who PostgreSQL runs as when we are root; chosen by `choosePostgresUser` when left out. */
  readonly user?: OsUser | undefined;
}

export interface PostgresServer extends PrivateServer {
  /** URL of the superuser, with its password. */
  readonly adminUrl: string;
}

const superuser = 'taskflow_admin';

/** Starts a private PostgreSQL on 127.0.0.1 at a free port, creating its data at the first start. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const user = 'user' in options ? options.user : choosePostgresUser();
  makePrivateFolder(options.dir, user);
  const server = new PrivatePostgres(options, user, findPostgresBinaries(user));
  await server.prepare();
  await server.startOnFreePort();
  return server;
}

class PrivatePostgres extends PrivateServer implements PostgresServer {
  readonly #options: PostgresOptions;
  readonly #user: OsUser | undefined;
  readonly #binaries: PostgresBinaries;
  readonly #data: string;

  constructor(options: PostgresOptions, user: OsUser | undefined, binaries: PostgresBinaries) {
    super('PostgreSQL', options);
    this.#options = options;
    this.#user = user;
    this.#binaries = binaries;
    this.#data = join(options.dir, 'data');
  }

  get adminUrl(): string {
    return `postgres://${superuser}:${this.password}@127.0.0.1:${this.port}/postgres`;
  }

  async prepare(): Promise<void> {
    if (existsSync(this.#data)) {
      this.#refuseOtherMajor();
      await stopLeftoverPostgres(
        this.#data,
        { superuser, password: this.password },
        this.#options.report ?? (() => undefined),
      );
    } else {
      await createData({
        folder: this.#options.dir,
        data: this.#data,
        superuser,
        password: this.password,
        initdb: this.#binaries.initdb,
        user: this.#user,
        durable: this.#options.durable,
      });
    }
  }

  #refuseOtherMajor(): void {
    const found = readFileSync(join(this.#data, 'PG_VERSION'), 'utf8').trim();
    const wanted = this.#binaries.version.split('.')[0];
    if (found !== wanted) {
      throw new Error(
        `the data in ${this.#data} belongs to PostgreSQL ${found}, and this is PostgreSQL ${wanted}: move that folder away to begin with empty data`,
      );
    }
  }

  protected command() {
    return {
      program: this.#binaries.postgres,
      args: ['-D', this.#data, ...this.#settings()],
      options: { cwd: this.#data, env: serverEnvironment(), ...identityOf(this.#user) },
    };
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

  protected answers(): Promise<boolean> {
    return answersQueries(this.adminUrl);
  }

  stop(mode: ShutdownMode = 'fast'): Promise<void> {
    return this.end(stopSteps.postgres.slice(mode === 'fast' ? 0 : 1));
  }
}

/** Whether a real connection gets an answer. A wrong password is thrown, since waiting would not help. */
async function answersQueries(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '28P01')
      throw new Error('PostgreSQL refused the stored password: the password file and the data do not belong together', {
        cause: error,
      });
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
