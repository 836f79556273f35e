import { join } from 'node:path';
import { Redis } from 'ioredis';
import { stopSteps } from './guard.ts';
import { makePrivateFolder, writePrivateFile } from './instance.ts';
import { readLog } from './log-file.ts';
import { PrivateServer, type ServerOptions } from './private-server.ts';
import { refOf, stopProcess } from './processes.ts';
import { findRedisBinary, type RedisBinary } from './redis-binary.ts';

export interface RedisOptions extends ServerOptions {
  /** true keeps the data over a restart (append-only file). */
  readonly durable: boolean;
}

export interface RedisServer extends PrivateServer {
  /** URL with the password, of logical database 0. */
  readonly url: string;
}

/** Starts a private Redis on 127.0.0.1 at a free port. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  makePrivateFolder(options.dir);
  const binary = await findRedisBinary(options.report === undefined ? {} : { report: options.report });
  const server = new PrivateRedis(options, binary);
  await server.stopLeftover();
  await server.startOnFreePort();
  return server;
}

class PrivateRedis extends PrivateServer implements RedisServer {
  readonly #options: RedisOptions;
  readonly #binary: RedisBinary;
  readonly #portFile: string;

  constructor(options: RedisOptions, binary: RedisBinary) {
    super('Redis', options);
    this.#options = options;
    this.#binary = binary;
    this.#portFile = join(options.dir, 'port');
  }

  get url(): string {
    return this.#urlAt(this.port);
  }

  #urlAt(port: number): string {
    return `redis://:${this.password}@127.0.0.1:${port}`;
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

  protected command() {
    const config = join(this.#options.dir, 'redis.conf');
    writePrivateFile(config, this.#configuration());
    writePrivateFile(this.#portFile, String(this.port));
    const options = { cwd: this.#options.dir, env: { ...process.env, ...this.#binary.env } };
    return { program: this.#binary.path, args: [config], options };
  }

  #configuration(): string {
    return [
      'bind 127.0.0.1',
      `port ${this.port}`,
      `requirepass ${this.password}`,
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

  protected async answers(): Promise<boolean> {
    return (await withConnection(this.url, (redis) => redis.ping())) === 'PONG';
  }

  stop(): Promise<void> {
    return this.end(stopSteps.redis);
  }
}

/** Runs the work on a connection of its own; undefined when the server does not answer or refuses. */
export async function withConnection<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T | undefined> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 10_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
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
