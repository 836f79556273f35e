import type { Logger } from '#libs/runtime';
import { Redis } from 'ioredis';

/** How long a producer waits for Redis before it gives up. */
export const commandTimeoutMs = 1_000;

const reconnectDelayMs = (attempt: number) => Math.min(2_000, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);

/** Says once that the connection is lost and once that it is back, however often it is tried in between. */
function reportState(redis: Redis, logger: Logger, role: string): void {
  let lost = false;
  redis.on('error', (error) => {
    if (!lost) logger.warn({ err: error, role }, 'lost Redis');
    lost = true;
  });
  redis.on('ready', () => {
    if (lost) logger.info({ role }, 'reached Redis again');
    lost = false;
  });
}

/** How long a connection that is given up may take for its farewell; ioredis would keep the process alive for two seconds. */
const farewellMs = 100;

/** What ioredis keeps to itself. */
interface Inside {
  /** The next attempt to connect. */
  reconnectTimeout: NodeJS.Timeout | null;
  connector: { connect: () => Promise<never> };
}

/**
 * Between two attempts to connect, `disconnect` of ioredis forgets the next one and says neither to whoever waits for the end
 * nor to unanswered commands that the connection is over: BullMQ, closing, would wait for ever. There one more attempt fails
 * on the spot instead, with all that follows from it.
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
    // It has been asked by now; whoever opens the connection again reaches Redis.
    Reflect.deleteProperty(connector, 'connect');
  };
}

/** For enqueueing: every command fails at once without a connection, and after a while with a silent one. */
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

/** Ends a connection without asking Redis. */
function cutForGood(redis: Redis): void {
  redis.options.retryStrategy = () => null;
  if (!['close', 'end'].includes(redis.status)) redis.disconnect();
}

/** The connections of one worker: the one that is handed to BullMQ, and those that it derives from it. */
export interface WorkerConnections {
  redis: Redis;
  /** Cuts all of them without waiting for Redis. */
  disconnect(): void;
}

/** For working: reconnects for ever, and commands wait for the connection. */
export function openWorkerConnections(url: string, logger: Logger): WorkerConnections {
  const redis = new Redis(url, { maxRetriesPerRequest: null, connectTimeout: 2_000, retryStrategy: reconnectDelayMs, disconnectTimeout: farewellMs });
  reportState(redis, logger, 'worker');
  endAlsoBetweenAttempts(redis);
  const all = new Set([redis]);
  // BullMQ blocks on a duplicate that it never hands out; without it, an unreachable Redis keeps the process alive.
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
