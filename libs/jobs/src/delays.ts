import { backoffMs, startLoop, type Logger } from '#libs/runtime';
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { openProducer, type Producer, type ProducerOptions } from './producer.ts';

/*
 * BullMQ starts and ends a delay by the clocks of the processes that add and take jobs. A process whose clock is wrong
 * would delay a job by its error, or end everybody's delays early. So a delayed job stays in BullMQ's set without a
 * time, and the time stands in a sorted set that only the clock of Redis writes and reads.
 */

/** In milliseconds since 1970: beyond every clock, so that BullMQ never ends a delay by itself. */
const never = Date.UTC(3000, 0, 1);

/** The longest delay. A later time was written before Redis' clock was set back, and counts as past. */
export const longestDelayMs = 900_000;

/** The time of the next due job is known from each look; a delay that is shorter than this may end so much later. */
const promoteIntervalMs = 500;
const promotedAtOnce = 200;

/** How long a process may take to promote a job before another one tries. */
const leaseMs = 1_000;

/** A job that is still delayed this long after its time is lost: nobody promotes, or its time is gone. */
const lateMs = 10_000;

const now = `local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

// KEYS: times. ARGV: job, delay.
const noteText = `${now}
return redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])`;

// KEYS: times of each queue. ARGV: limit, longest delay, lease. Returns the time that each due job has until it is
// promoted, the milliseconds until the next time of all, and the due jobs of each queue.
const takeText = `${now}
local lease = string.format('%.0f', now + ARGV[3])
local found = {}
local nextTime = now + ARGV[2]
for index, times in ipairs(KEYS) do
  local jobs = redis.call('ZRANGEBYSCORE', times, '-inf', now, 'LIMIT', 0, ARGV[1])
  for _, job in ipairs(redis.call('ZRANGEBYSCORE', times, now + ARGV[2] + 1, '+inf', 'LIMIT', 0, ARGV[1])) do table.insert(jobs, job) end
  for _, job in ipairs(jobs) do redis.call('ZADD', times, lease, job) end
  local first = redis.call('ZRANGE', times, 0, 0, 'WITHSCORES')
  if first[2] then nextTime = math.min(nextTime, first[2]) end
  found[index] = jobs
end
return {lease, math.max(0, nextTime - now), found}`;

// KEYS: times, key of the job. ARGV: job, its time when it was taken, whether it was promoted. A job that is not
// delayed yet is tried again.
const finishText = `
local unchanged = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1])) == tonumber(ARGV[2])
if unchanged and (ARGV[3] == '1' or redis.call('EXISTS', KEYS[2]) == 0) then redis.call('ZREM', KEYS[1], ARGV[1]) end`;

// KEYS: for each queue its delayed jobs, their times and the key of the job. ARGV: job, how late it may be.
const aliveText = `${now}
for index = 1, #KEYS, 3 do
  if redis.call('EXISTS', KEYS[index + 2]) == 1 then
    if not redis.call('ZSCORE', KEYS[index], ARGV[1]) then return 1 end
    local due = redis.call('ZSCORE', KEYS[index + 1], ARGV[1])
    return due and tonumber(due) + ARGV[2] > now and 1 or 0
  end
end
return 0`;

/** A BullMQ queue or worker, as far as it names keys. */
interface Keys {
  toKey(type: string): string;
}

const timesOf = (queue: Keys): string => queue.toKey('due');

/** Delays the running jobs of one queue. */
export interface Delays {
  /** Delays a running job without counting the attempt. */
  postpone(job: Job, token: string, delayMs: number): Promise<void>;
  /** Call it before the job fails: BullMQ then counts the attempt and delays the job. */
  beforeRetry(job: Job): Promise<void>;
}

/** In milliseconds. */
function retryDelayMs({ opts, attemptsMade }: Job): number {
  const firstMs = typeof opts.backoff === 'object' ? (opts.backoff.delay ?? 0) : (opts.backoff ?? 0);
  return backoffMs({ firstMs, maxMs: longestDelayMs }, attemptsMade + 1);
}

export function createDelays(redis: Redis, queue: Keys): Delays {
  const note = (job: Job, delayMs: number): Promise<unknown> =>
    redis.eval(noteText, 1, timesOf(queue), job.id ?? '', Math.round(Math.min(longestDelayMs, Math.max(0, delayMs))));
  return {
    postpone: async (job, token, delayMs) => {
      await note(job, delayMs);
      await job.moveToDelayed(never, token);
    },
    beforeRetry: async (job) => {
      await note(job, retryDelayMs(job));
      job.opts.backoff = { type: 'fixed', delay: never - Date.now() };
    },
  };
}

/** Promotes the jobs whose delay is over. `pauseMs`: until the next delay is over. */
async function promoteDue(producer: Producer, names: readonly string[]): Promise<{ again: boolean; pauseMs: number }> {
  return producer.use(async (queues, redis) => {
    const all = names.map(queues);
    const taken = await redis.eval(takeText, all.length, ...all.map(timesOf), promotedAtOnce, longestDelayMs, leaseMs);
    const [lease, pauseMs, found] = taken as [string, number, string[][]];
    for (const [index, queue] of all.entries()) await promote(redis, queue, { jobIds: found[index] ?? [], lease });
    return { again: found.some((jobIds) => jobIds.length >= promotedAtOnce), pauseMs };
  });
}

async function promote(
  redis: Redis,
  queue: Queue,
  { jobIds, lease }: { jobIds: readonly string[]; lease: string },
): Promise<void> {
  for (const jobId of jobIds) {
    const promoted = await queue.backend.promote(jobId).then(
      () => true,
      () => false,
    );
    await redis.eval(finishText, 2, timesOf(queue), queue.toKey(jobId), jobId, lease, promoted ? '1' : '0');
  }
}

/** Promotes due jobs until stopped, also those that other processes delayed. Every process with a worker does it. */
export function startPromoting(
  options: ProducerOptions & { logger: Logger },
  names: readonly string[],
): { stop(): Promise<void> } {
  const producer = openProducer(options, names);
  const run = async (): Promise<{ again: boolean; pauseMs?: number }> =>
    producer.isReachable() ? promoteDue(producer, names) : { again: false };
  const loop = startLoop({
    name: 'delayed jobs',
    logger: options.logger,
    intervalMs: promoteIntervalMs,
    maxBackoffMs: 1_000,
    run,
  });
  return {
    stop: async () => {
      await loop.stop();
      await producer.close();
    },
  };
}

/** The jobs that wait, run, or will run when their delay is over. */
export async function findAlive(
  producer: Producer,
  names: readonly string[],
  jobIds: readonly string[],
): Promise<Set<string>> {
  if (jobIds.length === 0) return new Set();
  return producer.use(async (queues, redis) => {
    const pipeline = redis.pipeline();
    for (const jobId of jobIds) {
      const keys = names.map(queues).flatMap((queue) => [queue.toKey('delayed'), timesOf(queue), queue.toKey(jobId)]);
      pipeline.eval(aliveText, keys.length, ...keys, jobId, lateMs);
    }
    const replies = (await pipeline.exec()) ?? [];
    const failed = replies.find(([error]) => error !== null);
    if (failed !== undefined || replies.length !== jobIds.length)
      throw failed?.[0] ?? new Error('Redis left replies out');
    return new Set(jobIds.filter((_, index) => replies[index]?.[1] === 1));
  });
}

/** When a delayed job will run; undefined when it is not delayed. */
export async function dueTimeOf(redis: Redis, queue: Keys, jobId: string): Promise<Date | undefined> {
  const due = await redis.zscore(timesOf(queue), jobId);
  return due === null ? undefined : new Date(Number(due));
}
