import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BreakersServiceService, BreakerState, type Breaker } from '#contract/resilience/v1/resilience';
import { Task } from '#contract/tasks/v1/tasks';
import { waitUntil } from '#dev/cluster';
import { openStub, type Stub } from '#dev/stubs';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';

const edge = { callee: 'users', method: 'taskflow.users.v1.InternalUsersService/BatchGetUsers' };
const ttl = { seconds: 600n, nanos: 0 };
const request = { ...edge, state: BreakerState.OPEN, ttl, reason: 'users is being moved' };

let testCluster: TestCluster;
let ada: Person;
let breakers: Stub<typeof BreakersServiceService>;
let admin: { token: string };
beforeAll(async () => {
  testCluster = await startTestCluster({ services: ['auth', 'users', 'tasks'] });
  ada = await testCluster.register();
  breakers = openStub(BreakersServiceService, testCluster.cluster.address('tasks'));
  admin = { token: testCluster.admin.token };
  // Somebody whom nobody has asked for yet, so that tasks asks users.
  await assign();
});
afterAll(async () => {
  breakers?.close();
  await testCluster?.stop();
});

async function assign(): Promise<string> {
  const task = Task.fromPartial({ title: 'for somebody', assigneeId: randomUUID() });
  return (await testCluster.wire.call('/taskflow.tasks.v1.TasksService/CreateTask', { task }, { token: ada.token }))
    .outcome;
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
      override: undefined,
      inFlightCount: 0,
      limits: {
        deadline: { seconds: 2n },
        maxInFlight: 100,
        volumeThreshold: 10,
        errorThresholdPercentage: 50,
        maxAttempts: 3,
        retryBudget: { maxTokens: 10, tokenRatio: 0.1, tokens: expect.any(Number) },
      },
    });
    expect((await find())?.answeredCount).toBeGreaterThan(0n);
  });

  it('are held open until they are released; that is watched, measured and written down', async () => {
    const leaving = new AbortController();
    const received: (Breaker | undefined)[] = [];
    const watching = (async () => {
      for await (const { breaker } of breakers.watchBreakers({}, { ...admin, signal: leaving.signal }))
        received.push(breaker);
    })().catch(() => undefined);
    await waitUntil(() => received.includes(undefined));
    const receivedBefore = received.length;

    const overridden = await breakers.overrideBreaker(request, admin);
    expect(overridden.breaker).toMatchObject({
      state: BreakerState.OPEN,
      override: { state: BreakerState.OPEN, overriderId: testCluster.admin.id, reason: 'users is being moved' },
    });
    expect(await assign()).toBe('UNAVAILABLE/CIRCUIT_OPEN');
    await waitUntil(
      async () => received.slice(receivedBefore),
      (news) => news.some((breaker) => breaker?.method === edge.method && breaker.state === BreakerState.OPEN),
    );
    const metrics = await testCluster.cluster.metrics('tasks');
    expect(metrics).toMatch(
      /grpc_client_breaker_override\{callee="users",method="[^"]*BatchGetUsers",service="tasks"\} 1/,
    );

    const released = await breakers.releaseBreaker(edge, admin);
    expect(released.breaker).toMatchObject({ state: BreakerState.CLOSED, override: undefined });
    expect(await assign()).toBe('FAILED_PRECONDITION/ASSIGNEE_NOT_FOUND');
    leaving.abort();
    await watching;
    const audit = testCluster.cluster
      .logs('tasks')
      .split('\n')
      .filter((line) => line.includes('"audit":"breaker_'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(audit).toMatchObject([
      {
        audit: 'breaker_overridden',
        by: testCluster.admin.id,
        callee: 'users',
        breaker: edge.method,
        state: 'open',
      },
      { audit: 'breaker_released', by: testCluster.admin.id, callee: 'users', breaker: edge.method },
    ]);
  });

  it('are only looked at with validate_only, and held once for each request id', async () => {
    const checked = await breakers.overrideBreaker({ ...request, validateOnly: true, requestId: 'a' }, admin);
    expect(checked.breaker).toMatchObject({ state: BreakerState.OPEN, override: { reason: request.reason } });
    expect(await find()).toMatchObject({ state: BreakerState.CLOSED, override: undefined });
    const first = await breakers.overrideBreaker({ ...request, requestId: 'a' }, admin);
    expect((await breakers.releaseBreaker({ ...edge, validateOnly: true }, admin)).breaker).toMatchObject({
      state: BreakerState.CLOSED,
      override: undefined,
    });
    expect((await find())?.state).toBe(BreakerState.OPEN);
    await breakers.releaseBreaker({ ...edge, requestId: 'b' }, admin);
    expect(await breakers.overrideBreaker({ ...request, requestId: 'a' }, admin)).toEqual(first);
    expect((await find())?.state).toBe(BreakerState.CLOSED);
    await expect(
      breakers.overrideBreaker({ ...request, reason: 'other', requestId: 'a' }, admin),
    ).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('are given in pages', async () => {
    const { breakers: all } = await breakers.listBreakers({}, admin);
    const listed: Breaker[] = [];
    let pageToken = '';
    do {
      const page = await breakers.listBreakers({ pageSize: 1, pageToken }, admin);
      listed.push(...page.breakers);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(listed.map(({ callee, method }) => [callee, method])).toEqual(
      all.map(({ callee, method }) => [callee, method]),
    );
    expect(listed.length).toBeGreaterThan(1);
  });

  it('decide by themselves again when the time is over', async () => {
    await breakers.overrideBreaker({ ...request, ttl: { seconds: 1n, nanos: 0 } }, admin);
    expect((await waitUntil(find, (breaker) => breaker?.override === undefined))?.state).toBe(BreakerState.CLOSED);
    expect(await assign()).toBe('FAILED_PRECONDITION/ASSIGNEE_NOT_FOUND');
  });

  it('are not found when the server never called that method, and every wrong field is named', async () => {
    const unknown = { ...request, method: 'taskflow.users.v1.UsersService/GetMe' };
    await expect(breakers.overrideBreaker(unknown, admin)).rejects.toMatchObject({
      kind: 'not_found',
      reason: 'BREAKER_NOT_FOUND',
    });
    const error = await breakers
      .overrideBreaker(
        { callee: '', method: '', state: BreakerState.HALF_OPEN, ttl: { seconds: 3601n, nanos: 0 }, reason: '' },
        admin,
      )
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'invalid_argument', reason: 'INVALID_FIELD' });
    expect(
      (error as { details: { violations: { field: string }[] } }).details.violations.map(({ field }) => field).sort(),
    ).toEqual(['callee', 'method', 'reason', 'state', 'ttl']);
  });
});
