import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { Task } from '#contract/tasks/v1/tasks';
import { startInfrastructure, until, type Infrastructure } from '#libs/devcluster';
import type { CallError } from '#libs/grpc';
import { startWorld, type Person, type World } from './start-world.ts';

const createTask = '/taskflow.tasks.v1.TasksService/CreateTask';

/** On servers of their own, since they are stopped, frozen and started. */
let infrastructure: Infrastructure;
let world: World;
let ada: Person;
beforeAll(async () => {
  infrastructure = await startInfrastructure();
  // Counted limits, so that the calls do touch Redis as far as any do.
  const limit = { requests: 1_000_000, perSeconds: 60 };
  const TASKFLOW_RATE_LIMITS = JSON.stringify({ '*': 'unlimited', 'taskflow.tasks.v1.TasksService/CreateTask': limit, 'taskflow.tasks.v1.TasksService/ListTasks': limit });
  const env = { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000', TASKFLOW_RATE_LIMITS };
  world = await startWorld({ postgresAdminUrl: infrastructure.postgresAdminUrl, redisUrl: infrastructure.redisUrl, copyDatabases: false, env });
  ada = await world.register();
});
afterAll(async () => {
  await world?.stop();
  await infrastructure?.stop();
});

const create = (requestId: string = randomUUID()) =>
  world.wire.call(createTask, { task: Task.fromPartial({ title: 'through it all' }), requestId }, { token: ada.token });
const trigger = (requestId: string) =>
  world.wire.call('/taskflow.scheduler.v1.SchedulerService/TriggerSchedule', { scheduleId: 'overdue-sweep', requestId }, { token: world.admin.token });
const list = () => world.wire.call('/taskflow.tasks.v1.TasksService/ListTasks', {}, { token: ada.token });

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
    const pids = ['auth', 'users', 'tasks', 'scheduler'].map((service) => world.cluster.pid(service as 'auth'));
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
    await until(async () => (await create()).outcome, (outcome) => outcome === 'OK');
    busy = false;
    await Promise.all(clients);

    for (const { kind, reason, details } of refusals) expect([kind, reason, details.retryAfterMs]).toEqual(['unavailable', 'DATABASE_UNAVAILABLE', expect.any(Number)]);
    expect(['auth', 'users', 'tasks', 'scheduler'].map((service) => world.cluster.pid(service as 'auth'))).toEqual(pids);
    const database = new Client({ connectionString: world.cluster.databaseUrl('tasks') });
    await database.connect();
    const { rows } = await database.query<{ found: number }>('select count(*)::int as found from tasks where id = any($1)', [[...acknowledged]]);
    expect(rows[0]?.found).toBe(acknowledged.size);
    await database.end();
    // More at once than the pool has connections: none has leaked.
    const many = await Promise.all(Array.from({ length: 40 }, () => create()));
    expect(new Set(many.map(({ outcome }) => outcome))).toEqual(new Set(['OK']));
  });
});
