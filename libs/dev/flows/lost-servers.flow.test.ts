import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Task } from '#contract/tasks/v1/tasks';
import { serviceNames } from '#libs/contract';
import { isServing, queryDatabase, startInfrastructure, waitUntil, type Infrastructure } from '#dev/cluster';
import type { CallError } from '#dev/stubs';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { untilOutcome, type Answer } from './wire.ts';

const createTask = '/taskflow.tasks.v1.TasksService/CreateTask';

/** On servers of their own, since they are stopped, frozen and started. */
let infrastructure: Infrastructure;
let testCluster: TestCluster;
let ada: Person;
beforeAll(async () => {
  infrastructure = await startInfrastructure();
  // Counted limits, so that the calls do touch Redis as far as any do.
  const limit = { requests: 1_000_000, perSeconds: 60 };
  const TASKFLOW_RATE_LIMITS = JSON.stringify({
    '*': 'unlimited',
    'taskflow.tasks.v1.TasksService/CreateTask': limit,
    'taskflow.tasks.v1.TasksService/ListTasks': limit,
  });
  const env = { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000', TASKFLOW_RATE_LIMITS };
  testCluster = await startTestCluster({
    postgresAdminUrl: infrastructure.postgresAdminUrl,
    redisUrl: infrastructure.redisUrl,
    copyDatabases: false,
    env,
  });
  ada = await testCluster.register();
});
afterAll(async () => {
  await testCluster?.stop();
  await infrastructure?.stop();
});

const create = (requestId: string = randomUUID()) =>
  testCluster.wire.call(
    createTask,
    { task: Task.fromPartial({ title: 'through it all' }), requestId },
    { token: ada.token },
  );
const trigger = (requestId: string) =>
  testCluster.wire.call(
    '/taskflow.scheduler.v1.SchedulerService/TriggerSchedule',
    { scheduleId: 'overdue-sweep', requestId },
    { token: testCluster.admin.token },
  );
const list = () => testCluster.wire.call('/taskflow.tasks.v1.TasksService/ListTasks', {}, { token: ada.token });

describe('invariant 2: a Redis that hangs', () => {
  it('keeps no call longer than its deadline, and writes go on', async () => {
    infrastructure.freezeRedis();
    try {
      const requestId = randomUUID();
      const outcomes = [];
      for (let round = 0; round < 5; round += 1) {
        const answers = await Promise.all([create(), list(), trigger(requestId)]);
        outcomes.push(...answers.map(({ outcome }) => outcome));
      }
      expect(new Set(outcomes)).toEqual(new Set(['OK']));
    } finally {
      infrastructure.thawRedis();
    }
    expect((await create()).outcome).toBe('OK');
  });
});

describe('invariant 3: a PostgreSQL that crashes twice in a second', () => {
  it('makes calls UNAVAILABLE with RetryInfo, none of them hangs, and all goes on without a restart of a service', async () => {
    const pids = (): unknown[] => serviceNames.map((service) => testCluster.cluster.pid(service));
    const pidsBefore = pids();
    const acknowledged = new Set<string>();
    const refusals: CallError[] = [];
    let busy = true;
    const client = async (): Promise<void> => {
      while (busy) {
        const { error, response } = await create();
        if (error === undefined) acknowledged.add((response as { task: Task }).task.id);
        else refusals.push(error);
      }
    };
    const clients = [client(), client(), client(), client()];
    await infrastructure.restartPostgres('immediate');
    await infrastructure.restartPostgres('immediate');
    await untilOutcome(create);
    busy = false;
    await Promise.all(clients);

    for (const { kind, reason, details } of refusals)
      expect([kind, reason, details.retryAfterMs]).toEqual(['unavailable', 'DATABASE_UNAVAILABLE', expect.any(Number)]);
    expect(pids()).toEqual(pidsBefore);
    const found = await queryDatabase(
      testCluster.cluster.databaseUrl('tasks'),
      'select count(*)::int as count from tasks where id = any($1)',
      [[...acknowledged]],
    );
    expect(found).toEqual([{ count: acknowledged.size }]);
    // More at once than the pool has connections: none has leaked.
    const many = await Promise.all(Array.from({ length: 40 }, () => create()));
    expect(new Set(many.map(({ outcome }) => outcome))).toEqual(new Set(['OK']));
  });
});

describe('a PostgreSQL that hangs', () => {
  /** A read of each service, for which it needs its database. */
  const reads = (): Record<string, () => Promise<Answer>> => ({
    auth: () => testCluster.wire.call('/taskflow.auth.v1.AuthService/ListSessions', {}, { token: ada.token }),
    users: () => testCluster.wire.call('/taskflow.users.v1.UsersService/GetMe', {}, { token: ada.token }),
    tasks: list,
    writing: create,
    scheduler: () =>
      testCluster.wire.call('/taskflow.scheduler.v1.NotificationsService/ListNotifications', {}, { token: ada.token }),
  });
  const serving = () => Promise.all(serviceNames.map((service) => isServing(testCluster.cluster.address(service))));

  it('makes calls of every service UNAVAILABLE and no replica SERVING, never a busy one, until it answers again', async () => {
    await Promise.all(Object.values(reads()).map(async (read) => expect((await read()).outcome).toBe('OK')));
    const outcomes = new Map<string, CallError | undefined>();
    infrastructure.freezePostgres();
    try {
      const unavailable = Object.entries(reads()).map(async ([name, read]) => {
        // More than the pool has connections, again and again until it is known.
        for (let known = false; !known;) {
          const answers = await Promise.all(Array.from({ length: 15 }, read));
          for (const { outcome, error } of answers) outcomes.set(`${name} ${outcome}`, error);
          known =
            answers.every(({ outcome }) => outcome === 'UNAVAILABLE/DATABASE_UNAVAILABLE') ||
            answers.some(({ outcome }) => outcome.endsWith('OVERLOADED'));
        }
      });
      await Promise.all(unavailable);
      expect(await serving()).toEqual(serviceNames.map(() => false));
    } finally {
      infrastructure.thawPostgres();
    }
    for (const [outcome, error] of outcomes) {
      // Those that were under way have no other answer than that their time is over.
      expect(outcome).toMatch(/ (UNAVAILABLE\/DATABASE_UNAVAILABLE|DEADLINE_EXCEEDED\/DEADLINE_EXCEEDED)$/);
      if (error?.reason === 'DATABASE_UNAVAILABLE') expect(error.details.retryAfterMs).toBeGreaterThan(0);
    }
    for (const read of Object.values(reads())) await untilOutcome(read);
    await waitUntil(serving, (all) => all.every(Boolean));
  });
});
