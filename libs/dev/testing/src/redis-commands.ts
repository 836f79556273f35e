import { randomUUID } from 'node:crypto';
import { testRedisUrl, waitUntil } from '#dev/cluster';
import { Redis } from 'ioredis';

/**
 * The commands that the tests' Redis gets while `work` runs, of everybody, whose arguments begin with this prefix. What a
 * script does is not among them.
 */
export async function redisCommandsOf(prefix: string, work: () => Promise<unknown>): Promise<string[]> {
  const redis = new Redis(testRedisUrl());
  const monitor = await redis.monitor();
  const commands: string[] = [];
  const end = randomUUID();
  let over = false;
  monitor.on('monitor', (_time: string, [command = '', ...rest]: string[], source: string) => {
    if (rest.includes(end)) over = true;
    else if (source !== 'lua' && rest.some((part) => part.startsWith(prefix))) commands.push(command);
  });
  try {
    await work();
    await redis.echo(end);
    await waitUntil(() => over);
    return commands;
  } finally {
    monitor.disconnect();
    redis.disconnect();
  }
}
