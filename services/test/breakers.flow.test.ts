import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BreakersServiceService, BreakerState, type Breaker } from '#contract/resilience/v1/resilience';
import { Task } from '#contract/tasks/v1/tasks';
import { until } from '#libs/devcluster';
import { openPublicClient, type PublicClient } from '#libs/grpc';
import { startWorld, type Person, type World } from './start-world.ts';

const edge = { callee: 'users', method: 'taskflow.users.v1.InternalUsersService/BatchGetUsers' };
const ttl = { seconds: 600n, nanos: 0 };

let world: World;
let ada: Person;
let breakers: PublicClient<typeof BreakersServiceService>;
let admin: { token: string };
beforeAll(async () => {
  world = await startWorld({ services: ['auth', 'users', 'tasks'] });
  ada = await world.register();
  breakers = openPublicClient(BreakersServiceService, world.cluster.address('tasks'));
  admin = { token: world.admin.token };
  // Somebody whom nobody has asked for yet, so that tasks asks users.
  await assign();
});
afterAll(async () => {
  breakers?.close();
  await world?.stop();
});

async function assign(): Promise<string> {
  const task = Task.fromPartial({ title: 'for somebody', assigneeId: randomUUID() });
  return (await world.wire.call('/taskflow.tasks.v1.TasksService/CreateTask', { task }, { token: ada.token })).outcome;
}

async function find(): Promise<Breaker | undefined> {
  const answer = await breakers.listBreakers({}, admin);
  return answer.breakers.find(({ callee, method }) => callee === edge.callee && method === edge.method);
}

describe('the breakers of a server', () => {
  it('are listed with their state and with what holds for each edge', async () => {
    expect(await find()).toMatchObject({
      ...edge,
      state: BreakerState.CLOSED,
      forcing: undefined,
      inFlight: 0,
      limits: { deadline: { seconds: 2n }, maxInFlight: 100, volumeThreshold: 10, errorThresholdPercentage: 50, maxAttempts: 3, retryBudget: { maxTokens: 10, tokenRatio: 0.1, tokens: expect.any(Number) } },
    });
    expect((await find())?.answered).toBeGreaterThan(0n);
  });

  it('are held open until they are released; that is watched, measured and written down', async () => {
    const leaving = new AbortController();
    const told: (Breaker | undefined)[] = [];
    const watching = (async () => {
      for await (const { breaker } of breakers.watchBreakers({}, { ...admin, signal: leaving.signal })) told.push(breaker);
    })().catch(() => undefined);
    await until(async () => told, (news) => news.includes(undefined));
    const told0 = told.length;

    const forced = await breakers.forceBreaker({ ...edge, state: BreakerState.OPEN, ttl, reason: 'users is being moved' }, admin);
    expect(forced.breaker).toMatchObject({ state: BreakerState.OPEN, forcing: { state: BreakerState.OPEN, actor: world.admin.id, reason: 'users is being moved' } });
    expect(await assign()).toBe('UNAVAILABLE/CIRCUIT_OPEN');
    await until(async () => told.slice(told0), (news) => news.some((breaker) => breaker?.method === edge.method && breaker.state === BreakerState.OPEN));
    const metrics = await (await fetch(`${world.cluster.httpAddress('tasks')}/metrics`)).text();
    expect(metrics).toMatch(/grpc_client_breaker_forced\{callee="users",method="[^"]*BatchGetUsers",service="tasks"\} 1/);

    const released = await breakers.releaseBreaker(edge, admin);
    expect(released.breaker).toMatchObject({ state: BreakerState.CLOSED, forcing: undefined });
    expect(await assign()).toBe('FAILED_PRECONDITION/ASSIGNEE_NOT_FOUND');
    leaving.abort();
    await watching;
    const audit = world.cluster.logs('tasks').split('\n').filter((line) => line.includes('"audit":"breaker_')).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(audit).toMatchObject([
      { audit: 'breaker_forced', by: world.admin.id, callee: 'users', breaker: edge.method, state: BreakerState.OPEN },
      { audit: 'breaker_released', by: world.admin.id, callee: 'users', breaker: edge.method },
    ]);
  });

  it('decide by themselves again when the time is over', async () => {
    await breakers.forceBreaker({ ...edge, state: BreakerState.OPEN, ttl: { seconds: 1n, nanos: 0 }, reason: 'for a moment' }, admin);
    expect((await until(find, (breaker) => breaker?.forcing === undefined))?.state).toBe(BreakerState.CLOSED);
    expect(await assign()).toBe('FAILED_PRECONDITION/ASSIGNEE_NOT_FOUND');
  });

  it('are not found when the server never called that method, and every wrong field is named', async () => {
    const unknown = { callee: 'users', method: 'taskflow.users.v1.UsersService/GetMe', state: BreakerState.OPEN, ttl, reason: 'none' };
    await expect(breakers.forceBreaker(unknown, admin)).rejects.toMatchObject({ kind: 'not_found', reason: 'BREAKER_NOT_FOUND' });
    const error = await breakers.forceBreaker({ callee: '', method: '', state: BreakerState.HALF_OPEN, ttl: { seconds: 3601n, nanos: 0 }, reason: '' }, admin).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'invalid_argument', reason: 'INVALID_FIELD' });
    expect((error as { details: { violations: { field: string }[] } }).details.violations.map(({ field }) => field).sort()).toEqual(['callee', 'method', 'reason', 'state', 'ttl']);
  });
});
