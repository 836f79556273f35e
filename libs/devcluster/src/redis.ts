import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { stopSteps, type Guard } from './guard.ts';
import { keepSecret, makePrivateFolder, writePrivateFile } from './instance.ts';
import { lastLines, readLog } from './log-file.ts';
import { findFreePort } from './ports.ts';
import { refOf, refOfChild, stopProcess, type ProcessRef } from './processes.ts';
import { findRedisBinary, type RedisBinary } from './redis-binary.ts';

export interface RedisOptions {
  /** Private folder of this server: data, password, configuration and log are kept in it. */
  readonly dir: string;
  /** true keeps the data over a restart (append-only file). */
  readonly durable: boolean;
  readonly guard: Guard;
  readonly report?: (line: string) => void;
}

export interface RedisServer {
  readonly port: number;
  /** URL with the password, of logical database 0. */
  readonly url: string;
  readonly pid: number;
  readonly logFile: string;
  stop(): Promise<void>;
  /** Starts a stopped server on the same port. */
  start(): Promise<void>;
}

const startLimitMs = 60_000;

/** Starts a private Redis on 127.0.0.1 at a free port. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  makePrivateFolder(options.dir);
  const binary = await findRedisBinary(options.report === undefined ? {} : { report: options.report });
  const server = new PrivateRedis(options, binary);
  await server.stopLeftover();
  await server.startOnFreePort();
  return server;
}

class PrivateRedis implements RedisServer {
  port = 0;
  readonly logFile: string;
  readonly #options: RedisOptions;
  readonly #binary: RedisBinary;
  readonly #password: string;
  readonly #portFile: string;
  #process: ProcessRef | undefined;

  constructor(options: RedisOptions, binary: RedisBinary) {
    this.#options = options;
    this.#binary = binary;
    this.logFile = join(options.dir, 'redis.log');
    this.#portFile = join(options.dir, 'port');
    this.#password = keepSecret(join(options.dir, 'password'));
  }

  get url(): string {
    return this.#urlAt(this.port);
  }

  get pid(): number {
    if (this.#process === undefined) throw new Error('Redis is stopped');
    return this.#process.pid;
  }

  #urlAt(port: number): string {
    return `redis://:${this.#password}@127.0.0.1:${port}`;
  }

  /** A server that a killed run left behind: it is ours when it knows our password and works in our folder. */
  async stopLeftover(): Promise<void> {
    const port = Number(readLog(this.#portFile));
    if (!Number.isInteger(port) || port === 0) return;
    const found = await withConnection(this.#urlAt(port), async (redis) => {
      const [, dir] = (await redis.config('GET', 'dir')) as [string, string];
      if (dir !== this.#options.dir) return undefined;
      return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
    });
    if (found === undefined) return;
    this.#options.report?.('stopping the Redis that an earlier run left running');
    await stopProcess(refOf(found), stopSteps.redis);
  }

  async startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.port = await findFreePort();
      try {
        return await this.start();
      } catch (error) {
        if (attempt >= 3 || !lastLines(this.logFile).includes('bind')) throw error;
      }
    }
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const config = join(this.#options.dir, 'redis.conf');
    writePrivateFile(config, this.#configuration());
    writePrivateFile(this.#portFile, String(this.port));
    const log = openSync(this.logFile, 'a', 0o600);
    const child = spawn(this.#binary.path, [config], {
      cwd: this.#options.dir,
      env: { ...process.env, ...this.#binary.env },
      // A group of its own: Ctrl-C in the terminal must not stop it before the services have drained.
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await this.#watch(child);
    await this.#waitUntilReady();
  }

  #configuration(): string {
    return [
      'bind 127.0.0.1',
      `port ${this.port}`,
      `requirepass ${this.#password}`,
      `dir "${this.#options.dir}"`,
      'daemonize no',
      'maxmemory-policy noeviction',
      // Tests give each cluster a logical database of its own.
      'databases 1024',
      `appendonly ${this.#options.durable ? 'yes' : 'no'}`,
      'save ""',
      '',
    ].join('\n');
  }

  async #watch(child: ChildProcess): Promise<void> {
    const entry = await refOfChild(child);
    child.unref();
    this.#process = entry;
    this.#options.guard.watch({ ...entry, role: 'redis' });
    child.once('exit', () => {
      if (this.#process !== entry) return;
      this.#process = undefined;
      this.#options.guard.forget(entry);
    });
  }

  async #waitUntilReady(): Promise<void> {
    const until = performance.now() + startLimitMs;
    while ((await withConnection(this.url, (redis) => redis.ping())) !== 'PONG') {
      if (this.#process === undefined || performance.now() > until) {
        await this.stop();
        throw new Error(`Redis did not start. Its log, ${this.logFile}, ends with:\n${lastLines(this.logFile)}`);
      }
      await pause(25);
    }
  }

  async stop(): Promise<void> {
    const entry = this.#process;
    if (entry === undefined) return;
    await stopProcess(entry, stopSteps.redis);
    this.#process = undefined;
    this.#options.guard.forget(entry);
  }
}

/** Runs the work on a connection of its own; undefined when the server does not answer or refuses. */
export async function withConnection<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T | undefined> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 10_000, maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } catch {
    return undefined;
  } finally {
    // On a connection that has ended it would only start a timer of two seconds, which keeps the process alive.
    if (redis.status !== 'end') redis.disconnect();
  }
}
