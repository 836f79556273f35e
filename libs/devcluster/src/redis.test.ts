import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGuard, type Guard } from './guard.ts';
import { isRunning, refOf } from './processes.ts';
import { startRedis, withConnection, type RedisOptions } from './redis.ts';
import { findRedisBinary } from './redis-binary.ts';

describe('a private Redis', () => {
  let folder: string;
  let guard: Guard;
  const options = (durable = true): RedisOptions => ({ dir: join(folder, 'redis'), durable, guard });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'taskflow-redis-'));
    guard = openGuard(folder);
  });

  afterEach(async () => {
    await guard.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('never evicts, as the queues require', async () => {
    const server = await startRedis(options());

    expect(await withConnection(server.url, async (redis) => redis.config('GET', 'maxmemory-policy'))).toEqual(['maxmemory-policy', 'noeviction']);
  });

  it('asks for a password', async () => {
    const server = await startRedis(options());

    expect(await withConnection(`redis://127.0.0.1:${server.port}`, async (redis) => redis.ping())).toBeUndefined();
  });

  it('keeps its data and its port over a stop when it is durable', async () => {
    const server = await startRedis(options());
    const { url } = server;
    await withConnection(url, async (redis) => redis.set('note', 'kept'));

    await server.stop();
    await server.start();

    expect(await withConnection(url, async (redis) => redis.get('note'))).toBe('kept');
  });

  it('stops a server that an earlier run left in the same folder', async () => {
    const leftover = await startRedis(options());
    await withConnection(leftover.url, async (redis) => redis.set('note', 'kept'));
    const leftoverProcess = refOf(leftover.pid);

    const server = await startRedis(options());

    expect(isRunning(leftoverProcess)).toBe(false);
    expect(await withConnection(server.url, async (redis) => redis.get('note'))).toBe('kept');
  });

  it('says what to type where there is none and none can be unpacked', async () => {
    await expect(findRedisBinary({ path: folder, cache: folder })).rejects.toThrow(/no Redis: .*Type ".*install redis.*TASKFLOW_REDIS_URL/);
  });
});
