import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { openForeignQueue } from './foreign-queue.ts';
import { startScheduler } from './start-scheduler.ts';
import { addRun } from './rows.ts';

const prefix = `test-${randomUUID()}`;
const queue = openForeignQueue(prefix);
const service = await startScheduler({ queuePrefix: prefix });
afterAll(async () => {
  await queue.close();
  await service.stop();
});

const lettersOf = (jobId: string) =>
  waitUntil(
    () => service.sql<Record<string, unknown>>('select * from dead_letters where job_id = $1', [jobId]),
    (rows) => rows.length > 0,
  );

describe('a job that cannot be done', () => {
  it('of an unknown name is kept with its payload, at its first attempt (D7)', async () => {
    const jobId = await queue.enqueue('update-status', { taskId: 'x' }, { callId: 'call-1' });
    expect(await lettersOf(jobId)).toMatchObject([
      {
        queue: 'notifications',
        name: 'update-status',
        payload: { taskId: 'x' },
        attempts: 1,
        call_id: 'call-1',
        error: expect.stringContaining('no job is called'),
      },
    ]);
  });

  it('with a payload that breaks its schema is kept as it came', async () => {
    const jobId = await queue.enqueue('deliver-notifications', { notificationIds: 'all' });
    expect(await lettersOf(jobId)).toMatchObject([{ payload: { notificationIds: 'all' }, attempts: 1 }]);
  });

  it('ends the run that it was made for, so that no other job is made for it', async () => {
    const runId = await addRun(service, { scheduleId: 'gone', jobId: 'its-job' });
    const jobId = await queue.enqueue('run-schedule', { scheduleId: 'gone', runId });
    expect(await lettersOf(jobId)).toMatchObject([{ name: 'run-schedule', attempts: 1 }]);
    expect(await service.sql('select state, result from schedule_runs where id = $1', [runId])).toMatchObject([
      { state: 'dead', result: expect.stringContaining('no such schedule') },
    ]);
  });
});
