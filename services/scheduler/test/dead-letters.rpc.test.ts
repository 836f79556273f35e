import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { testRedisUrl, until } from '#libs/devcluster';
import { createJobQueue, defineJob } from '#libs/jobs';
import { createLogger, createMetrics } from '#libs/runtime';
import { startScheduler, type TestScheduler } from './start-scheduler.ts';

/** What another release, or another program, could put into the queue. */
const foreignJobs = [
  defineJob({ name: 'update-status', queue: 'notifications', payload: z.unknown(), retry: { attempts: 5, backoffMs: 10 }, timeoutMs: 1_000 }),
  defineJob({ name: 'deliver-notifications', queue: 'notifications', payload: z.unknown(), retry: { attempts: 5, backoffMs: 10 }, timeoutMs: 1_000 }),
  defineJob({ name: 'run-schedule', queue: 'schedules', payload: z.unknown(), retry: { attempts: 5, backoffMs: 10 }, timeoutMs: 1_000 }),
] as const;

const prefix = `test-${randomUUID()}`;
const logger = createLogger({ service: 'test', level: 'silent' });
const queue = createJobQueue({ redisUrl: testRedisUrl(), prefix, jobs: foreignJobs, logger, metrics: createMetrics('test') });
let service: TestScheduler;
beforeAll(async () => {
  service = await startScheduler({ queuePrefix: prefix });
});
afterAll(async () => {
  await queue.close();
  await service.stop();
});

const lettersOf = (jobId: string) =>
  until(() => service.sql<Record<string, unknown>>('select * from dead_letters where job_id = $1', [jobId]), (rows) => rows.length > 0);

describe('a job that cannot be done', () => {
  it('of a name that nobody knows is kept with its payload, at its first attempt (D7)', async () => {
    const jobId = await queue.enqueue('update-status', { taskId: 'x' }, { callId: 'call-1' });
    expect(await lettersOf(jobId)).toMatchObject([
      { queue: 'notifications', name: 'update-status', payload: { taskId: 'x' }, attempts: 1, call_id: 'call-1', error: expect.stringContaining('no job is called') },
    ]);
  });

  it('with a payload that breaks its schema is kept as it came', async () => {
    const jobId = await queue.enqueue('deliver-notifications', { notificationIds: 'all' });
    expect(await lettersOf(jobId)).toMatchObject([{ payload: { notificationIds: 'all' }, attempts: 1 }]);
  });

  it('takes the run that it was for out of the pending ones, so that no other job is made for it', async () => {
    const runId = randomUUID();
    await service.sql(
      `insert into schedule_runs (id, schedule_id, planned_time, requested_by, call_id, trace_parent, state, job_id, result, create_time)
       values ($1, 'gone', now(), $1, '', '', 'pending', 'its-job', '', now())`,
      [runId],
    );
    const jobId = await queue.enqueue('run-schedule', { scheduleId: 'gone', runId });
    expect(await lettersOf(jobId)).toMatchObject([{ name: 'run-schedule', attempts: 1 }]);
    expect(await service.sql('select state, result from schedule_runs where id = $1', [runId])).toMatchObject([{ state: 'dead', result: expect.stringContaining('no such schedule') }]);
  });
});
