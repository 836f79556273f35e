import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { InternalTasksServiceService } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { AppError } from '#libs/errors';
import { bind, startServer, type Authenticator, type GrpcServer } from '#libs/grpc';
import { createLogger, createMetrics } from '#libs/runtime';
import type { TestUser } from './start-cluster.ts';
import { startScheduler, type TestScheduler } from './start-scheduler.ts';
import { untilRows } from './waiting.ts';

/** How tasks judges the scheduler's credentials. */
let authenticate: Authenticator;
const believe: Authenticator = async () => ({ service: 'scheduler' });

/** The part of tasks that a sweep needs. */
function startTasks(isComplete: boolean, port = 0): Promise<GrpcServer> {
  const tasks = bind(InternalTasksServiceService, {
    sweepOverdue: async () => ({ markedCount: 0, more: false }),
    pullEvents: async () => ({ events: [], more: false, readerIds: [] }),
    batchGetTaskStates: async () => ({ states: [] }),
    explainDue: async () => ({}),
    batchCheckSharing: async () => ({ sharingUserIds: [] }),
    deleteUserTasks: async () => ({ more: false }),
    batchCheckReaders: async () => ({ mayRead: [] }),
  });
  const logger = createLogger({ service: 'test', level: 'fatal' });
  return startServer({
    bindings: isComplete ? [tasks] : [],
    service: 'tasks',
    host: '127.0.0.1',
    port,
    authenticate: (credentials) => authenticate(credentials),
    logger,
    metrics: createMetrics('tasks'),
    trustedProxies: [],
    graceMs: 100,
    checks: {},
  });
}

let tasks: GrpcServer;
let service: TestScheduler;
let admin: TestUser;
beforeAll(async () => {
  authenticate = believe;
  tasks = await startTasks(true);
  service = await startScheduler({ tasksAddress: `127.0.0.1:${tasks.port}` });
  admin = await service.newUser('admin');
  // The runs of the start would be ahead of those of a test.
  await untilRows(service, 2, "select 1 from schedule_runs where state = 'done'");
});
afterEach(() => {
  authenticate = believe;
});
afterAll(async () => {
  await service?.stop();
  await tasks?.stop();
});

async function trigger(): Promise<string> {
  return (await service.scheduler.triggerSchedule({ scheduleId: 'overdue-sweep' }, admin.as)).runId;
}

const runOf = async (runId: string) =>
  (
    await service.sql<{ state: string; job_id: string | null }>(
      'select state, job_id from schedule_runs where id = $1',
      [runId],
    )
  )[0];

async function postponedJob(runId: string) {
  const run = await waitUntil(
    () => runOf(runId),
    (row) => row?.job_id != null,
  );
  const get = async () => (await service.scheduler.getJob({ jobId: run?.job_id ?? '' }, admin.as)).job;
  return waitUntil(get, (job) => (job?.failures.length ?? 0) >= 2);
}

describe('a run of a schedule, when tasks', () => {
  const refusals: [string, AppError][] = [
    [
      'does not believe the token of the scheduler',
      new AppError('unauthenticated', 'TOKEN_INVALID', 'the token is not valid'),
    ],
    ['sees no identity', new AppError('permission_denied', 'SERVICE_IDENTITY_REQUIRED', 'only services may call this')],
    [
      'does not know the scheduler as a caller',
      new AppError('permission_denied', 'CALLER_NOT_ALLOWED', 'scheduler may not call this'),
    ],
  ];

  it.each(refusals)(
    '%s, is postponed without using up an attempt, and done when tasks does',
    async (_name, refusal) => {
      authenticate = () => Promise.reject(refusal);
      const runId = await trigger();
      const job = await postponedJob(runId);
      expect(job).toMatchObject({
        attemptCount: 0,
        failures: [{ attempt: 1, error: expect.stringContaining('tasks did not answer') }, { attempt: 1 }],
      });
      authenticate = believe;
      await waitUntil(() => runOf(runId), { state: 'done' });
      expect(await service.sql('select 1 from dead_letters')).toEqual([]);
    },
  );

  it('is of a release that does not know the method, waits in the same way', async () => {
    const { port } = tasks;
    await tasks.stop();
    tasks = await startTasks(false, port);
    const runId = await trigger();
    expect(await postponedJob(runId)).toMatchObject({ attemptCount: 0 });
    await tasks.stop();
    tasks = await startTasks(true, port);
    await waitUntil(() => runOf(runId), { state: 'done' });
  });
});
