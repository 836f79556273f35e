import { assertNoOpenTransaction, type Logger, type Metrics } from '#libs/runtime';
import { Redis } from 'ioredis';
import { createCircuit } from './circuit.ts';

/** The store did not answer in time, or with a fault. Whoever asks knows what to do without it. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** One connection to a Redis that may vanish at any time. */
export interface Store {
  readonly redis: Redis;
  /** Runs a command, or throws StoreUnavailable: at once while there is no connection, else within the time limit. */
  ask<T>(command: () => Promise<T>): Promise<T>;
  /** Resolves when the connection is there, or when it is clear that it will not be soon. */
  waitForFirstConnection(): Promise<void>;
  close(): void;
}

const connectLimitMs = 1000;
const firstConnectionLimitMs = 1000;

const reconnectDelayMs = (attempt: number) => Math.min(1000, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);

function connect(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: connectLimitMs,
    disconnectTimeout: 100,
    // A connection that says nothing for so long is given up, with the commands that wait on it.
    socketTimeout: 2 * connectLimitMs,
    retryStrategy: reconnectDelayMs,
  });
}

// An answer takes less than a millisecond.
const fallbackTimeoutMs = 45;
const ticksUntilTimeout = 3;

export interface StoreOptions {
  /** What is stored there, part of the metric's name: "limits". */
  purpose: string;
  /** Which connection, in logs and the metric. */
  name: string;
  logger: Logger;
  metrics: Metrics;
  timeoutMs?: number | undefined;
}

/** Says once that the connection is lost and once that it is back, however often it is tried in between. */
function reportState(redis: Redis, { purpose, name, logger, metrics }: StoreOptions): void {
  const gauge = metrics.gauge(`taskflow_${purpose}_store_reachable`, `Whether the Redis of the ${purpose} is connected.`, ['connection']);
  const reachable = { set: (value: number) => gauge.set({ connection: name }, value) };
  let lost = false;
  redis.on('error', (error) => {
    if (!lost) logger.warn({ err: error, role: name }, 'lost Redis');
    lost = true;
    reachable.set(0);
  });
  redis.on('close', () => reachable.set(0));
  redis.on('ready', () => {
    if (lost) logger.info({ role: name }, 'reached Redis again');
    lost = false;
    reachable.set(1);
  });
}

/**
 * Rejects with StoreUnavailable when nothing has come in time. Time in which this process was too busy to look counts as one
 * tick at most: the store must not be blamed for it, since without the store replicas go on apart.
 */
function inTime<T>(work: Promise<T>, timeoutMs = fallbackTimeoutMs): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let settled = false;
    const wait = (ticksLeft: number): void => {
      if (settled) return;
      if (ticksLeft === 0) reject(new StoreUnavailable('no answer in time'));
      // What has arrived by the end of a tick is read before the immediate runs.
      else timer = setTimeout(() => setImmediate(wait, ticksLeft - 1), timeoutMs / ticksUntilTimeout);
    };
    wait(ticksUntilTimeout);
    const settle = (): void => {
      settled = true;
      clearTimeout(timer);
    };
    work.then(resolve, reject).finally(settle);
  });
}

function untilConnected(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(), firstConnectionLimitMs);
    const done = (): void => {
      clearTimeout(timer);
      redis.off('ready', done);
      redis.off('error', done);
      resolve();
    };
    redis.once('ready', done);
    redis.once('error', done);
  });
}

/** Begins to connect, and keeps trying until it is closed. */
export function openStore(url: string, options: StoreOptions): Store {
  const redis = connect(url);
  reportState(redis, options);
  const circuit = createCircuit();
  redis.on('ready', () => circuit.succeeded());
  return {
    redis,
    ask: async (command) => {
      assertNoOpenTransaction(`a question to the Redis of the ${options.purpose}`);
      if (redis.status !== 'ready') throw new StoreUnavailable('not connected');
      if (!circuit.allows()) throw new StoreUnavailable('did not answer lately');
      try {
        const answer = await inTime(command(), options.timeoutMs);
        circuit.succeeded();
        return answer;
      } catch (error) {
        circuit.failed();
        throw error instanceof StoreUnavailable ? error : new StoreUnavailable('the store failed', { cause: error });
      }
    },
    waitForFirstConnection: () => untilConnected(redis),
    close: () => redis.disconnect(),
  };
}
