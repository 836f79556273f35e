import { reportState } from '#libs/redis';
import { backoffMs, type Logger } from '#libs/runtime';
import { Redis } from 'ioredis';

/** How long a producer waits for Redis before it gives up. */
export const commandTimeoutMs = 1_000;

const reconnectDelayMs = (attempt: number) => backoffMs({ firstMs: 100, maxMs: 2_000 }, attempt);

/** The time for the farewell of a connection that is given up; ioredis would keep the process alive for two seconds. */
const farewellMs = 100;

/** Private parts of ioredis. */
interface Inside {
  /** The next attempt to connect. */
  reconnectTimeout: NodeJS.Timeout | null;
  connector: { connect: () => Promise<never> };
}

/**
 * Between two attempts to connect, `disconnect` of ioredis cancels the next attempt and reports the end neither to its
 * listeners nor to unanswered commands, so BullMQ would wait for ever when it closes. Here one more attempt fails on
 * the spot instead, which reports the end.
 */
function endAlsoBetweenAttempts(redis: Redis): void {
  const disconnect = redis.disconnect.bind(redis);
  const inside = redis as unknown as Inside;
  redis.disconnect = (reconnect = false) => {
    if (redis.status !== 'reconnecting' || reconnect) return disconnect(reconnect);
    clearTimeout(inside.reconnectTimeout ?? undefined);
    inside.reconnectTimeout = null;
    const { connector } = inside;
    connector.connect = () => Promise.reject(new Error('Connection is closed.'));
    redis.connect().catch(() => undefined);
    // It has been called by now; a later connect must reach Redis.
    Reflect.deleteProperty(connector, 'connect');
  };
}

/** For producers: a command fails at once without a connection, and after `commandTimeout` when Redis is silent. */
export function openProducerConnection(url: string, logger: Logger, commandTimeout = commandTimeoutMs): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: commandTimeoutMs,
    commandTimeout,
    retryStrategy: reconnectDelayMs,
    disconnectTimeout: farewellMs,
  });
  reportState(redis, logger, 'producer');
  endAlsoBetweenAttempts(redis);
  return redis;
}

/** Ends a connection without waiting for Redis. */
function cutForGood(redis: Redis): void {
  redis.options.retryStrategy = () => null;
  if (!['close', 'end'].includes(redis.status)) redis.disconnect();
}

/** The connections of one worker: the one that BullMQ is given, and those that it derives from it. */
export interface WorkerConnections {
  redis: Redis;
  /** Ends all of them without waiting for Redis. */
  disconnect(): void;
}

/** For workers: they reconnect for ever, and commands wait for the connection. */
export function openWorkerConnections(url: string, logger: Logger): WorkerConnections {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    connectTimeout: 2_000,
    retryStrategy: reconnectDelayMs,
    disconnectTimeout: farewellMs,
  });
  reportState(redis, logger, 'worker');
  endAlsoBetweenAttempts(redis);
  const all = new Set([redis]);
  // BullMQ blocks on a duplicate that it never hands out. Uncut, it would keep the process alive while Redis is
  // unreachable.
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (override) => {
    const copy = duplicate(override);
    endAlsoBetweenAttempts(copy);
    copy.on('error', () => undefined);
    all.add(copy);
    copy.once('end', () => all.delete(copy));
    return copy;
  };
  return { redis, disconnect: () => all.forEach(cutForGood) };
}
