import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadJobState, JobState, type DeadJob } from '#contract/scheduler/v1/jobs';
import { NotificationKind, notificationKindToNumber } from '#contract/scheduler/v1/notifications';
import { Task, TaskEvent, TaskEventType } from '#contract/tasks/v1/tasks';
import { testRedisUrl, until } from '#libs/devcluster';
import { createJobQueue, defineJob } from '#libs/jobs';
import { createLogger, createMetrics } from '#libs/runtime';
import { z } from 'zod';
import { refusal } from '../../test/refusals.ts';
import type { TestUser } from './start-cluster.ts';
import { startScheduler, type TestScheduler } from './start-scheduler.ts';

/** What another release, or another program, could put into the queues. */
const foreignJobs = [
  defineJob({ name: 'update-status', queue: 'notifications', payload: z.unknown(), retry: { attempts: 5, backoffMs: 10 }, timeoutMs: 1_000 }),
  defineJob({ name: 'run-schedule', queue: 'schedules', payload: z.unknown(), retry: { attempts: 5, backoffMs: 10 }, timeoutMs: 1_000 }),
] as const;

const prefix = `test-${randomUUID()}`;
const queue = createJobQueue({
  redisUrl: testRedisUrl(),
  prefix,
  jobs: foreignJobs,
  logger: createLogger({ service: 'test', level: 'silent' }),
  metrics: createMetrics('test'),
});
let service: TestScheduler;
let admin: TestUser;
let user: TestUser;
beforeAll(async () => {
  service = await startScheduler({ queuePrefix: prefix });
  [admin, user] = await Promise.all([service.newUser('admin'), service.newUser()]);
});
afterAll(async () => {
  await queue.close();
  await service.stop();
});

const reasonOf = async (call: Promise<unknown>): Promise<string> => {
  const { kind, reason } = await refusal(call);
  return `${kind}/${reason}`;
};

const scheduler = () => service.scheduler;
const queueNamed = async (name: string) => (await scheduler().listQueues({}, admin.as)).queues.find((found) => found.name === name);
const deadJobs = async (request = {}): Promise<DeadJob[]> => (await scheduler().listDeadJobs(request, admin.as)).deadJobs;
const deadJobOf = (jobId: string): Promise<DeadJob> =>
  until(async () => (await deadJobs({ pageSize: 200, includeSettled: true })).find((letter) => letter.jobId === jobId), (found) => found !== undefined) as Promise<DeadJob>;
const actions = (action: string) => service.sql<{ actor_id: string; subject: string }>('select actor_id, subject from admin_actions where action = $1 order by id', [action]);

/** A run whose job dies at once: its schedule does not exist. */
async function killRun(): Promise<{ runId: string; letter: DeadJob }> {
  const runId = randomUUID();
  await service.sql(
    `insert into schedule_runs (id, schedule_id, planned_time, requested_by, call_id, trace_parent, state, job_id, enqueue_time, result, create_time)
     values ($1, 'gone', now(), $1, '', '', 'dead', 'its-job', now(), 'it died', now())`,
    [runId],
  );
  const jobId = await queue.enqueue('update-status', {});
  await deadJobOf(jobId);
  await service.sql(`update dead_letters set name = 'run-schedule', queue = 'schedules', payload = $2 where job_id = $1`, [jobId, { scheduleId: 'gone', runId }]);
  return { runId, letter: await deadJobOf(jobId) };
}

describe('ListQueues', () => {
  it('tells every queue of jobs with its depth', async () => {
    const { queues } = await until(() => scheduler().listQueues({}, admin.as), (answer) => answer.queues.every(({ reachable }) => reachable));
    expect(queues.map(({ name }) => name)).toEqual(['notifications', 'schedules', 'webhooks']);
    expect(queues[0]).toMatchObject({ paused: false, pausedBy: '', waitingCount: 0n, delayedCount: 0n, oldestWaitingAge: undefined });
  });

  it('tells what waits in a paused queue, and since when', async () => {
    await scheduler().pauseQueue({ queue: 'notifications' }, admin.as);
    await until(async () => /taskflow_queue_paused\{queue="notifications"[^}]*\} 1/.test(await (await fetch(`http://127.0.0.1:${service.app.httpPort}/metrics`)).text()), Boolean);
    await queue.enqueue('update-status', {});
    expect(await until(() => queueNamed('notifications'), (found) => found?.waitingCount === 1n)).toMatchObject({ paused: true, pausedBy: admin.userId, oldestWaitingAge: expect.anything() });
    await scheduler().resumeQueue({ queue: 'notifications' }, admin.as);
    await until(() => queueNamed('notifications'), (found) => found?.waitingCount === 0n);
  });
});

describe('PauseQueue', () => {
  it('keeps an earlier pause as it is, and one answer for one request id', async () => {
    const requestId = randomUUID();
    const first = await scheduler().pauseQueue({ queue: 'schedules', requestId }, admin.as);
    const other = await service.newUser('admin');
    expect(await scheduler().pauseQueue({ queue: 'schedules' }, other.as)).toEqual(first);
    expect(await queueNamed('schedules')).toMatchObject({ paused: true, pausedBy: admin.userId, pauseTime: first.pauseTime });
    expect(await scheduler().resumeQueue({ queue: 'schedules' }, admin.as)).toEqual({ wasPaused: true });
    expect(await scheduler().resumeQueue({ queue: 'schedules' }, admin.as)).toEqual({ wasPaused: false });
    expect(await scheduler().pauseQueue({ queue: 'schedules', requestId }, admin.as)).toEqual(first);
    expect(await queueNamed('schedules')).toMatchObject({ paused: false });
    expect(await reasonOf(scheduler().pauseQueue({ queue: 'notifications', requestId }, admin.as))).toBe('invalid_argument/REQUEST_ID_REUSED');
  });

  it('is recorded with who did it, in a table and in the log', async () => {
    await scheduler().pauseQueue({ queue: 'schedules' }, admin.as);
    await scheduler().resumeQueue({ queue: 'schedules' }, admin.as);
    expect(await actions('PauseQueue')).toContainEqual({ actor_id: admin.userId, subject: 'schedules' });
    expect(service.logLines.some((line) => line.includes('administrator acted') && line.includes('ResumeQueue') && line.includes(admin.userId))).toBe(true);
  });

  it('names a queue that does not exist, and a field that breaks its rule', async () => {
    expect(await reasonOf(scheduler().pauseQueue({ queue: 'mail' }, admin.as))).toBe('not_found/QUEUE_NOT_FOUND');
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
      id: jobId, queue: 'notifications', name: 'update-status', state: JobState.DEAD, payload: { taskId: 'x' }, attemptCount: 1, callId: 'call-1', deadJobId: letter.id,
      failures: [{ attempt: 1, error: expect.stringContaining('no job is called'), time: expect.any(Date) }],
    });
  });

  it('shows a job that is postponed, with why and until when', async () => {
    await scheduler().triggerSchedule({ scheduleId: 'overdue-sweep' }, admin.as);
    // Nobody answers as tasks here. Only the oldest run of a schedule has a job.
    const runs = () => service.sql<{ id: string; job_id: string }>("select id, job_id from schedule_runs where schedule_id = 'overdue-sweep' and state = 'pending' and job_id is not null");
    const [run] = await until(runs, (rows) => rows.length === 1);
    const { id: runId = '', job_id: jobId = '' } = run ?? {};
    const answer = await until(() => scheduler().getJob({ jobId }, admin.as), ({ job }) => job?.state === JobState.DELAYED);
    expect(answer.job).toMatchObject({
      queue: 'schedules', name: 'run-schedule', attemptCount: 0, maxAttempts: 5, nextRunTime: expect.any(Date), effects: [{ kind: 'schedule-run', id: runId, state: 'pending' }],
    });
    expect(answer.job?.failures[0]?.error).toMatch(/RetryLater: postponed by an outage: .*AppError/);
    await service.sql(`update schedule_runs set state = 'done', finish_time = now() where id = $1`, [runId]);
    const ended = await until(() => scheduler().getJob({ jobId }, admin.as), ({ job }) => job?.state === JobState.FINISHED);
    expect(ended.job).toMatchObject({ finishTime: expect.any(Date), effects: [{ kind: 'schedule-run', id: runId, state: 'done' }] });
  });

  it('says when nothing is recorded', async () => {
    expect(await reasonOf(scheduler().getJob({ jobId: randomUUID() }, admin.as))).toBe('not_found/JOB_NOT_FOUND');
    expect(await reasonOf(scheduler().getJob({ jobId: '7' }, admin.as))).toBe('invalid_argument/INVALID_FIELD');
  });
});

describe('ListDeadJobs', () => {
  it('gives every dead job once, youngest first, in pages that belong to one caller and one filter', async () => {
    const jobIds = await queue.enqueueMany(Array.from({ length: 7 }, () => ({ name: 'update-status' as const, payload: {} })));
    for (const jobId of jobIds) await deadJobOf(jobId);
    const listed: DeadJob[] = [];
    let pageToken = '';
    do {
      const page = await scheduler().listDeadJobs({ name: 'update-status', pageSize: 3, pageToken }, admin.as);
      listed.push(...page.deadJobs);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(listed.map(({ id }) => id)).toEqual([...listed.map(({ id }) => id)].sort().reverse());
    expect(new Set(listed.map(({ jobId }) => jobId))).toEqual(new Set([...listed.map(({ jobId }) => jobId), ...jobIds]));
    const { nextPageToken } = await scheduler().listDeadJobs({ name: 'update-status', pageSize: 1 }, admin.as);
    expect(await reasonOf(scheduler().listDeadJobs({ name: 'run-schedule', pageSize: 1, pageToken: nextPageToken }, admin.as))).toBe('invalid_argument/PAGE_TOKEN_INVALID');
    expect(await deadJobs({ queue: 'schedules', name: 'update-status' })).toEqual([]);
  });
});

describe('RetryDeadJob', () => {
  it('makes what died pending again, so that another job is made for it, once for each request id', async () => {
    const { runId, letter } = await killRun();
    const requestId = randomUUID();
    const answer = await scheduler().retryDeadJob({ deadJobId: letter.id, requestId }, admin.as);
    expect(answer).toMatchObject({ deadJob: { id: letter.id, state: DeadJobState.RETRIED, settledBy: admin.userId }, effects: [{ kind: 'schedule-run', id: runId, state: 'pending' }] });
    expect(await scheduler().retryDeadJob({ deadJobId: letter.id, requestId }, admin.as)).toEqual(answer);
    expect(await reasonOf(scheduler().retryDeadJob({ deadJobId: letter.id }, admin.as))).toBe('failed_precondition/DEAD_JOB_SETTLED');
    // It is given another job, which dies of the same: its schedule is still gone.
    await until(() => service.sql('select job_id from schedule_runs where id = $1', [runId]), ([row]) => (row as { job_id: string | null }).job_id !== 'its-job');
    expect(await deadJobs()).not.toContainEqual(expect.objectContaining({ id: letter.id }));
    expect(await deadJobs({ includeSettled: true, pageSize: 200 })).toContainEqual(expect.objectContaining({ id: letter.id, state: DeadJobState.RETRIED }));
    expect(await actions('RetryDeadJob')).toContainEqual({ actor_id: admin.userId, subject: letter.id });
  });

  it('revives dead notifications and forgets their deadly delivery', async () => {
    const id = randomUUID();
    await service.sql(
      `insert into notifications (id, recipient_id, event_id, kind, task_id, task_title, due_version, task_version, previous_status, status, actor, call_id,
         trace_parent, event_time, state, job_id, create_time)
       values ($1, $1, 4711, $2, $1, 'title', 1, 1, 0, 0, 'service:scheduler', '', '', now(), 'dead', 'its-job', now())`,
      [id, notificationKindToNumber(NotificationKind.OVERDUE)],
    );
    await service.sql(`insert into deliveries (notification_id, channel, outcome, attempts, error, create_time) values ($1, 'inbox', 'dead', 8, 'Error: broken', now())`, [id]);
    const jobId = await queue.enqueue('update-status', {});
    const { id: deadJobId } = await deadJobOf(jobId);
    await service.sql(`update dead_letters set name = 'deliver-notifications', payload = $2 where id = $1`, [deadJobId, { recipientId: id, notificationIds: [id] }]);
    const { effects } = await scheduler().retryDeadJob({ deadJobId }, admin.as);
    expect(effects).toEqual([{ kind: 'notification', id, state: 'pending' }]);
    expect(await service.sql('select 1 from deliveries where notification_id = $1', [id])).toEqual([]);
  });

  it('refuses a job that this release does not know', async () => {
    const { id: deadJobId } = await deadJobOf(await queue.enqueue('update-status', {}));
    expect(await reasonOf(scheduler().retryDeadJob({ deadJobId }, admin.as))).toBe('failed_precondition/JOB_NOT_RUNNABLE');
    expect(await reasonOf(scheduler().retryDeadJob({ deadJobId: randomUUID() }, admin.as))).toBe('not_found/DEAD_JOB_NOT_FOUND');
  });
});

describe('DiscardDeadJob', () => {
  it('leaves it undone, and is decided once', async () => {
    const { runId, letter } = await killRun();
    const requestId = randomUUID();
    const answer = await scheduler().discardDeadJob({ deadJobId: letter.id, requestId }, admin.as);
    expect(answer.deadJob).toMatchObject({ state: DeadJobState.DISCARDED, settledBy: admin.userId, settleTime: expect.any(Date) });
    expect(await scheduler().discardDeadJob({ deadJobId: letter.id, requestId }, admin.as)).toEqual(answer);
    expect(await service.sql('select state from schedule_runs where id = $1', [runId])).toEqual([{ state: 'dead' }]);
    expect(await reasonOf(scheduler().retryDeadJob({ deadJobId: letter.id }, admin.as))).toBe('failed_precondition/DEAD_JOB_SETTLED');
  });
});

describe('parked events', () => {
  const park = async (eventId: bigint, event: TaskEvent | undefined): Promise<void> => {
    const bytes = event === undefined ? Buffer.from([0xff]) : Buffer.from(TaskEvent.encode(event).finish());
    await service.sql(`insert into parked_events (cursor_name, transaction_id, event_id, event, error) values ('tasks', '7', $1, $2, 'TypeError')`, [String(eventId), bytes]);
  };
  const overdue = (eventId: bigint, owner: string): TaskEvent => {
    const after = Task.fromPartial({ id: randomUUID(), ownerId: owner, title: 'title' });
    return TaskEvent.fromPartial({ position: { transactionId: 7n, eventId }, type: TaskEventType.OVERDUE, taskId: after.id, taskVersion: 3n, createTime: new Date(), change: { after, dueVersion: 1n } });
  };

  it('are listed, oldest first, in pages, also when their bytes are what is wrong', async () => {
    for (const eventId of [101n, 102n]) await park(eventId, overdue(eventId, user.userId));
    await park(103n, undefined);
    const first = await scheduler().listParkedEvents({ pageSize: 2 }, admin.as);
    const second = await scheduler().listParkedEvents({ pageSize: 2, pageToken: first.nextPageToken }, admin.as);
    expect([...first.parkedEvents, ...second.parkedEvents].map(({ eventId, error }) => [eventId, error])).toEqual([101n, 102n, 103n].map((id) => [id, 'TypeError']));
    expect(first.parkedEvents[0]).toMatchObject({ type: TaskEventType.OVERDUE, taskVersion: 3n, eventTime: expect.any(Date), parkTime: expect.any(Date) });
    expect(second.nextPageToken).toBe('');
  });

  it('are handled when they are retried, once', async () => {
    await park(201n, overdue(201n, user.userId));
    const requestId = randomUUID();
    await scheduler().retryParkedEvent({ eventId: 201n, requestId }, admin.as);
    await scheduler().retryParkedEvent({ eventId: 201n, requestId }, admin.as);
    expect(await service.sql('select recipient_id from notifications where event_id = 201')).toEqual([{ recipient_id: user.userId }]);
    expect(await reasonOf(scheduler().retryParkedEvent({ eventId: 201n }, admin.as))).toBe('not_found/PARKED_EVENT_NOT_FOUND');
  });

  it('stay parked when they fail again, until they are discarded', async () => {
    await park(301n, undefined);
    expect(await reasonOf(scheduler().retryParkedEvent({ eventId: 301n }, admin.as))).toBe('failed_precondition/EVENT_NOT_HANDLED');
    await scheduler().discardParkedEvent({ eventId: 301n }, admin.as);
    expect(await reasonOf(scheduler().discardParkedEvent({ eventId: 301n }, admin.as))).toBe('not_found/PARKED_EVENT_NOT_FOUND');
    expect(await actions('DiscardParkedEvent')).toEqual([{ actor_id: admin.userId, subject: '301' }]);
  });
});

it('control and insight are for administrators', async () => {
  const calls = [
    scheduler().listQueues({}, user.as), scheduler().pauseQueue({ queue: 'schedules' }, user.as), scheduler().getJob({ jobId: randomUUID() }, user.as),
    scheduler().listDeadJobs({}, user.as), scheduler().retryDeadJob({ deadJobId: randomUUID() }, user.as), scheduler().explainOverdue({ taskId: randomUUID() }, user.as),
  ];
  for (const call of calls) expect(await reasonOf(call)).toBe('permission_denied/ADMIN_REQUIRED');
});

it('says that tasks is needed to explain', async () => {
  expect((await refusal(scheduler().explainOverdue({ taskId: randomUUID() }, admin.as))).kind).toBe('unavailable');
});
