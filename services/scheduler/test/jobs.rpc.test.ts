import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AuditTargetKind } from '#contract/audit/v1/audit';
import { DeadJobState, JobEffectKind, JobEffectState, JobState, type DeadJob } from '#contract/scheduler/v1/jobs';
import { waitUntil } from '#dev/cluster';
import { kindAndReason, readPages, refusal } from '#dev/testing';
import { openForeignQueue } from './foreign-queue.ts';
import { schedulerJobs } from '../src/jobs/jobs.ts';
import { startScheduler } from './start-scheduler.ts';
import { addNotification, addRun } from './rows.ts';

const prefix = `test-${randomUUID()}`;
const queue = openForeignQueue(prefix);
const service = await startScheduler({ queuePrefix: prefix });
const [admin, user] = await Promise.all([service.newUser('admin'), service.newUser()]);
afterAll(async () => {
  await queue.close();
  await service.stop();
});

const scheduler = () => service.scheduler;
const queueNamed = async (name: string) =>
  (await scheduler().listQueues({}, admin.as)).queues.find((found) => found.name === name);
const deadJobs = async (request = {}): Promise<DeadJob[]> =>
  (await scheduler().listDeadJobs(request, admin.as)).deadJobs;
const deadJobOf = (jobId: string): Promise<DeadJob> =>
  waitUntil(
    async () => (await deadJobs({ pageSize: 200, includeResolved: true })).find((letter) => letter.jobId === jobId),
    (found) => found !== undefined,
  ) as Promise<DeadJob>;
const audited = async (action: string) => (await service.audit.listAuditEvents({ action }, admin.as)).events;

/** A run whose job dies at once: its schedule does not exist. */
async function killRun(): Promise<{ runId: string; letter: DeadJob }> {
  const runId = await addRun(service, { scheduleId: 'gone', state: 'dead', jobId: 'its-job', result: 'it died' });
  const jobId = await queue.enqueue('update-status', {});
  await deadJobOf(jobId);
  await service.sql(
    `update dead_letters set name = 'run-schedule', queue = 'schedules', payload = $2 where job_id = $1`,
    [jobId, { scheduleId: 'gone', runId }],
  );
  return { runId, letter: await deadJobOf(jobId) };
}

describe('ListQueues', () => {
  it('lists every queue with its depth', async () => {
    const { queues } = await waitUntil(
      () => scheduler().listQueues({}, admin.as),
      (answer) => answer.queues.every(({ reachable }) => reachable),
    );
    expect(queues.map(({ name }) => name)).toEqual(schedulerJobs.map((kind) => kind.queue).sort());
    expect(queues.find(({ name }) => name === 'notifications')).toMatchObject({
      paused: false,
      pauserId: '',
      waitingCount: 0n,
      delayedCount: 0n,
      oldestWaitingAge: undefined,
    });
  });

  it('shows the waiting jobs of a paused queue, and since when it is paused', async () => {
    await scheduler().pauseQueue({ queue: 'notifications' }, admin.as);
    await waitUntil(
      async () =>
        /taskflow_queue_paused\{queue="notifications"[^}]*\} 1/.test(
          await (await fetch(`http://127.0.0.1:${service.app.httpPort}/metrics`)).text(),
        ),
      Boolean,
    );
    await queue.enqueue('update-status', {});
    expect(await waitUntil(() => queueNamed('notifications'), { waitingCount: 1n })).toMatchObject({
      paused: true,
      pauserId: admin.userId,
      oldestWaitingAge: expect.anything(),
    });
    await scheduler().resumeQueue({ queue: 'notifications' }, admin.as);
    await waitUntil(() => queueNamed('notifications'), { waitingCount: 0n });
  });
});

describe('PauseQueue', () => {
  it('keeps an earlier pause as it is, and one answer for one request id', async () => {
    const requestId = randomUUID();
    const first = await scheduler().pauseQueue({ queue: 'schedules', requestId }, admin.as);
    const other = await service.newUser('admin');
    expect(await scheduler().pauseQueue({ queue: 'schedules' }, other.as)).toEqual(first);
    expect(await queueNamed('schedules')).toMatchObject({
      paused: true,
      pauserId: admin.userId,
      pauseTime: first.pauseTime,
    });
    expect(await scheduler().resumeQueue({ queue: 'schedules' }, admin.as)).toEqual({ wasPaused: true });
    expect(await scheduler().resumeQueue({ queue: 'schedules' }, admin.as)).toEqual({ wasPaused: false });
    expect(await scheduler().pauseQueue({ queue: 'schedules', requestId }, admin.as)).toEqual(first);
    expect(await queueNamed('schedules')).toMatchObject({ paused: false });
    expect(await kindAndReason(scheduler().pauseQueue({ queue: 'notifications', requestId }, admin.as))).toBe(
      'invalid_argument/REQUEST_ID_REUSED',
    );
  });

  it('is recorded with who did it, in a table and in the log', async () => {
    await scheduler().pauseQueue({ queue: 'schedules' }, admin.as);
    await scheduler().resumeQueue({ queue: 'schedules' }, admin.as);
    expect(await audited('PauseQueue')).toContainEqual(
      expect.objectContaining({ actorId: admin.userId, targetKind: AuditTargetKind.QUEUE, targetId: 'schedules' }),
    );
    expect(
      service.logLines.some(
        (line) => line.includes('audited') && line.includes('ResumeQueue') && line.includes(admin.userId),
      ),
    ).toBe(true);
  });

  it('names a queue that does not exist, and a field that breaks its rule', async () => {
    expect(await kindAndReason(scheduler().pauseQueue({ queue: 'mail' }, admin.as))).toBe('not_found/QUEUE_NOT_FOUND');
    const error = await refusal(scheduler().resumeQueue({ queue: '', requestId: 'no spaces' }, admin.as));
    expect(error.details.violations?.map(({ field }) => field).sort()).toEqual(['queue', 'request_id']);
  });
});

describe('GetJob', () => {
  it('shows a dead job with its payload, its attempts and its errors', async () => {
    const jobId = await queue.enqueue('update-status', { taskId: 'x' }, { callId: 'call-1' });
    const letter = await deadJobOf(jobId);
    const { job } = await scheduler().getJob({ jobId }, admin.as);
    expect(job).toMatchObject({
      id: jobId,
      queue: 'notifications',
      name: 'update-status',
      state: JobState.DEAD,
      payload: { taskId: 'x' },
      attemptCount: 1,
      requestId: 'call-1',
      deadJobId: letter.id,
      failures: [{ attempt: 1, error: expect.stringContaining('no job is called'), failTime: expect.any(Date) }],
    });
  });

  it('shows a job that is postponed, with why and until when', async () => {
    await scheduler().triggerSchedule({ scheduleId: 'overdue-sweep' }, admin.as);
    // Nobody answers as tasks here. Only the oldest run of a schedule has a job.
    const runs = () =>
      service.sql<{ id: string; job_id: string }>(
        "select id, job_id from schedule_runs where schedule_id = 'overdue-sweep' and state = 'pending' and job_id is not null",
      );
    const [run] = await waitUntil(runs, (rows) => rows.length === 1);
    const { id: runId = '', job_id: jobId = '' } = run ?? {};
    const answer = await waitUntil(
      () => scheduler().getJob({ jobId }, admin.as),
      ({ job }) => job?.state === JobState.DELAYED,
    );
    expect(answer.job).toMatchObject({
      queue: 'schedules',
      name: 'run-schedule',
      attemptCount: 0,
      maxAttempts: 5,
      nextRunTime: expect.any(Date),
      effects: [{ kind: JobEffectKind.SCHEDULE_RUN, id: runId, state: JobEffectState.PENDING }],
    });
    expect(answer.job?.failures[0]?.error).toMatch(/RetryLater: postponed by an outage: .*AppError/);
    await service.sql(`update schedule_runs set state = 'done', finish_time = now() where id = $1`, [runId]);
    const ended = await waitUntil(
      () => scheduler().getJob({ jobId }, admin.as),
      ({ job }) => job?.state === JobState.FINISHED,
    );
    expect(ended.job).toMatchObject({
      finishTime: expect.any(Date),
      effects: [{ kind: JobEffectKind.SCHEDULE_RUN, id: runId, state: JobEffectState.SUCCEEDED }],
    });
  });

  it('says when nothing is recorded', async () => {
    expect(await kindAndReason(scheduler().getJob({ jobId: randomUUID() }, admin.as))).toBe('not_found/JOB_NOT_FOUND');
    expect(await kindAndReason(scheduler().getJob({ jobId: '7' }, admin.as))).toBe('invalid_argument/INVALID_FIELD');
  });
});

describe('ListDeadJobs', () => {
  it('gives every dead job once, youngest first, in pages that belong to one caller and one filter', async () => {
    const jobIds = await queue.enqueueMany(
      Array.from({ length: 7 }, () => ({ name: 'update-status' as const, payload: {} })),
    );
    for (const jobId of jobIds) await deadJobOf(jobId);
    const list = (pageToken: string) =>
      scheduler().listDeadJobs({ name: 'update-status', pageSize: 3, pageToken }, admin.as);
    const listed = (await readPages(list)).flatMap(({ deadJobs: page }) => page);
    expect(listed.map(({ id }) => id)).toEqual([...listed.map(({ id }) => id)].sort().reverse());
    expect(new Set(listed.map(({ jobId }) => jobId))).toEqual(
      new Set([...listed.map(({ jobId }) => jobId), ...jobIds]),
    );
    const { nextPageToken } = await scheduler().listDeadJobs({ name: 'update-status', pageSize: 1 }, admin.as);
    expect(
      await kindAndReason(
        scheduler().listDeadJobs({ name: 'run-schedule', pageSize: 1, pageToken: nextPageToken }, admin.as),
      ),
    ).toBe('invalid_argument/PAGE_TOKEN_INVALID');
    expect(await deadJobs({ queue: 'schedules', name: 'update-status' })).toEqual([]);
  });
});

describe('RetryDeadJob', () => {
  it('makes the dead run pending again, so that another job is made for it, once for each request id', async () => {
    const { runId, letter } = await killRun();
    const requestId = randomUUID();
    const answer = await scheduler().retryDeadJob({ deadJobId: letter.id, requestId }, admin.as);
    expect(answer).toMatchObject({
      deadJob: { id: letter.id, state: DeadJobState.RETRIED, resolverId: admin.userId },
      effects: [{ kind: JobEffectKind.SCHEDULE_RUN, id: runId, state: JobEffectState.PENDING }],
    });
    expect(await scheduler().retryDeadJob({ deadJobId: letter.id, requestId }, admin.as)).toEqual(answer);
    expect(await kindAndReason(scheduler().retryDeadJob({ deadJobId: letter.id }, admin.as))).toBe(
      'failed_precondition/DEAD_JOB_RESOLVED',
    );
    // It is given another job, which dies of the same: its schedule is still gone.
    await waitUntil(
      () => service.sql('select job_id from schedule_runs where id = $1', [runId]),
      ([row]) => (row as { job_id: string | null }).job_id !== 'its-job',
    );
    expect(await deadJobs()).not.toContainEqual(expect.objectContaining({ id: letter.id }));
    expect(await deadJobs({ includeResolved: true, pageSize: 200 })).toContainEqual(
      expect.objectContaining({ id: letter.id, state: DeadJobState.RETRIED }),
    );
    expect(await audited('RetryDeadJob')).toContainEqual(
      expect.objectContaining({ actorId: admin.userId, targetKind: AuditTargetKind.DEAD_JOB, targetId: letter.id }),
    );
  });

  it('revives dead notifications and deletes their dead delivery', async () => {
    const id = await addNotification(service, { state: 'dead', jobId: 'its-job' });
    await service.sql(
      `insert into deliveries (notification_id, channel, outcome, attempts, error, create_time) values ($1, 'inbox', 'dead', 8, 'Error: broken', now())`,
      [id],
    );
    const jobId = await queue.enqueue('update-status', {});
    const { id: deadJobId } = await deadJobOf(jobId);
    await service.sql(`update dead_letters set name = 'deliver-notifications', payload = $2 where id = $1`, [
      deadJobId,
      { recipientId: id, notificationIds: [id] },
    ]);
    const { effects } = await scheduler().retryDeadJob({ deadJobId }, admin.as);
    expect(effects).toEqual([{ kind: JobEffectKind.NOTIFICATION, id, state: JobEffectState.PENDING }]);
    expect(await service.sql('select 1 from deliveries where notification_id = $1', [id])).toEqual([]);
  });

  it('refuses a job that this release does not know', async () => {
    const { id: deadJobId } = await deadJobOf(await queue.enqueue('update-status', {}));
    expect(await kindAndReason(scheduler().retryDeadJob({ deadJobId }, admin.as))).toBe(
      'failed_precondition/JOB_NOT_RUNNABLE',
    );
    expect(await kindAndReason(scheduler().retryDeadJob({ deadJobId: randomUUID() }, admin.as))).toBe(
      'not_found/DEAD_JOB_NOT_FOUND',
    );
  });
});

describe('DiscardDeadJob', () => {
  it('leaves the run dead, and is decided once', async () => {
    const { runId, letter } = await killRun();
    const requestId = randomUUID();
    const answer = await scheduler().discardDeadJob({ deadJobId: letter.id, requestId }, admin.as);
    expect(answer.deadJob).toMatchObject({
      state: DeadJobState.DISCARDED,
      resolverId: admin.userId,
      resolveTime: expect.any(Date),
    });
    expect(await scheduler().discardDeadJob({ deadJobId: letter.id, requestId }, admin.as)).toEqual(answer);
    expect(await service.sql('select state from schedule_runs where id = $1', [runId])).toEqual([{ state: 'dead' }]);
    expect(await kindAndReason(scheduler().retryDeadJob({ deadJobId: letter.id }, admin.as))).toBe(
      'failed_precondition/DEAD_JOB_RESOLVED',
    );
  });
});

it('control and insight are for administrators', async () => {
  const calls = [
    scheduler().listQueues({}, user.as),
    scheduler().pauseQueue({ queue: 'schedules' }, user.as),
    scheduler().getJob({ jobId: randomUUID() }, user.as),
    scheduler().listDeadJobs({}, user.as),
    scheduler().retryDeadJob({ deadJobId: randomUUID() }, user.as),
    scheduler().explainOverdue({ taskId: randomUUID() }, user.as),
  ];
  expect(await Promise.all(calls.map((call) => kindAndReason(call)))).toEqual(
    calls.map(() => 'permission_denied/ADMIN_REQUIRED'),
  );
});

it('is unavailable for explanations while tasks is away', async () => {
  expect((await refusal(scheduler().explainOverdue({ taskId: randomUUID() }, admin.as))).kind).toBe('unavailable');
});
