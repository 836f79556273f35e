import { testRedisUrl } from '#dev/cluster';
import { createJobQueue, defineJob } from '#libs/jobs';
import { createLogger, createMetrics } from '#libs/runtime';
import { z } from 'zod';

const foreignJob = <const Name extends string, const Q extends string>(name: Name, queue: Q) =>
  defineJob({ name, queue, payload: z.unknown(), retry: { attempts: 5, backoffMs: 10 }, timeoutMs: 1_000 });

/** The queues of a scheduler, with the jobs that another release or another program could put into them. */
export function openForeignQueue(prefix: string) {
  return createJobQueue({
    redisUrl: testRedisUrl(),
    prefix,
    jobs: [
      foreignJob('update-status', 'notifications'),
      foreignJob('deliver-notifications', 'notifications'),
      foreignJob('run-schedule', 'schedules'),
    ] as const,
    logger: createLogger({ service: 'test', level: 'silent' }),
    metrics: createMetrics('test'),
  });
}
