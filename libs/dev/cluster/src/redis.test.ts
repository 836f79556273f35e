import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

    expect(await withConnection(server.url, async (redis) => redis.config('GET', 'maxmemory-policy'))).toEqual([
      'maxmemory-policy',
      'noeviction',
    ]);
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

  it.each([
    ['brew', 'Type "brew install redis"'],
    ['apt-get', 'Type "sudo apt-get install redis-server"'],
    ['dnf', 'Type "sudo dnf install valkey"'],
    ['pacman', 'Type "sudo pacman -S valkey"'],
    ['apk', 'Type "sudo apk add valkey"'],
    ['none that is known', 'Install redis-server or valkey-server'],
  ])('says what to do where there is none and none can be unpacked, with %s', async (manager, line) => {
    writeFileSync(join(folder, manager), '', { mode: 0o755 });

    const hint = new RegExp(
      `^no Redis: it is neither on the PATH nor can it be unpacked here\\. ${line}, or set TASKFLOW_REDIS_URL`,
    );
    await expect(findRedisBinary({ path: folder, cache: folder })).rejects.toThrow(hint);
  });
});
