import { assertNoOpenTransaction, backoffMs, settlesWithin, type Logger, type Metrics } from '#libs/runtime';
import { Redis } from 'ioredis';
import { createCircuit } from './circuit.ts';
import { reportState } from './report-state.ts';

/** The store did not answer in time, or failed. The caller must be able to go on without it. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** One connection to a Redis that may vanish at any time. */
export interface Store {
  readonly redis: Redis;
  /** Runs a command. Throws StoreUnavailable: at once while there is no connection, else within the time limit. */
  ask<T>(command: () => Promise<T>): Promise<T>;
  /** Resolves when the connection is there, or when it clearly will not be soon. */
  waitForFirstConnection(): Promise<void>;
  close(): void;
}

const connectLimitMs = 1000;
const firstConnectionLimitMs = 1000;

const reconnectDelayMs = (attempt: number) => backoffMs({ firstMs: 100, maxMs: 1000 }, attempt);

function connect(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: connectLimitMs,
    disconnectTimeout: 100,
    // A connection that is silent for this long is given up, with the commands that wait on it.
    socketTimeout: 2 * connectLimitMs,
    retryStrategy: reconnectDelayMs,
  });
}

// A normal answer takes less than a millisecond.
const fallbackTimeoutMs = 45;
const ticksUntilTimeout = 3;

export interface StoreOptions {
  /** What the store is for, a part of the metric's name: "limits". */
  purpose: string;
  /** Names the connection in logs and the metric. */
  name: string;
  logger: Logger;
  metrics: Metrics;
  timeoutMs?: number | undefined;
}

/** Keeps the metric that says whether the connection is there. */
function measureState(redis: Redis, { purpose, name, metrics }: StoreOptions): void {
  const gauge = metrics.gauge(
    `taskflow_${purpose}_store_reachable`,
    `Whether the Redis of the ${purpose} is connected.`,
    ['connection'],
  );
  for (const event of ['error', 'close'] as const) redis.on(event, () => gauge.set({ connection: name }, 0));
  redis.on('ready', () => gauge.set({ connection: name }, 1));
}

/**
 * Rejects with StoreUnavailable when no answer came in time. Time in which this process was too busy to read counts as
 * one tick at most: the store must not be blamed for it, because without the store replicas count apart.
 */
function inTime<T>(work: Promise<T>, timeoutMs = fallbackTimeoutMs): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let settled = false;
    const wait = (ticksLeft: number): void => {
      if (settled) return;
      if (ticksLeft === 0) reject(new StoreUnavailable('no answer in time'));
      // An answer that has arrived by the end of a tick is read before the immediate runs.
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

async function untilConnected(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  redis.once('ready', resolve).once('error', resolve);
  await settlesWithin(promise, firstConnectionLimitMs);
  redis.off('ready', resolve).off('error', resolve);
}

/** Starts to connect, and keeps trying until it is closed. */
export function openStore(url: string, options: StoreOptions): Store {
  const redis = connect(url);
  reportState(redis, options.logger, options.name);
  measureState(redis, options);
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
