import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Task, type CreateTaskResponse, type GetTaskResponse } from '#contract/tasks/v1/tasks';
import { startTcpProxy, waitUntil, type TcpProxy } from '#dev/cluster';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { untilOutcome } from './wire.ts';

let testCluster: TestCluster;
let way: TcpProxy;
const proxies: TcpProxy[] = [];
let ada: Person;
let ben: Person;
beforeAll(async () => {
  testCluster = await startTestCluster({
    services: ['auth', 'users', 'tasks'],
    route: async (callee, address) => {
      const proxy = await startTcpProxy(address);
      proxies.push(proxy);
      if (callee === 'users') way = proxy;
      return proxy.address;
    },
  });
  [ada, ben] = [await testCluster.register(), await testCluster.register()];
});
afterAll(async () => {
  await testCluster?.stop();
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

const create = async (assigneeId = '') => {
  const task = Task.fromPartial({ title: 'for somebody', assigneeId });
  return testCluster.wire.call(
    '/taskflow.tasks.v1.TasksService/CreateTask',
    { task, requestId: randomUUID() },
    { token: ada.token },
  );
};

/** The values of tasks' series that fit. */
async function valuesOf(series: RegExp): Promise<number[]> {
  const lines = (await testCluster.cluster.metrics('tasks')).split('\n').filter((line) => series.test(line));
  return lines.map((line) => Number(line.split(' ').at(-1)));
}
const breakerState = async () =>
  (await valuesOf(/^grpc_client_breaker_state\{callee="users",method="[^"]*BatchGetUsers"/))[0] ?? 0;
/** How many calls to users tasks has made; what the breaker refused is none. What users sees comes ten seconds late. */
async function callsOfUsers(): Promise<number> {
  const calls = /^grpc_client_handled_total\{callee="users",method="[^"]*BatchGetUsers"(?!.*reason="CIRCUIT_OPEN")/;
  return (await valuesOf(calls)).reduce((sum, value) => sum + value, 0);
}

it('invariant 4: the breaker to a users that takes ten seconds opens; then tasks answers by itself, users sees only probes, and it closes when users recovers', async () => {
  await untilOutcome(() => create(ben.id));
  way.delay(10_000);
  // Somebody whom no cache knows.
  const outcomes = new Set<string>();
  await waitUntil(
    async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => create(randomUUID())));
      answers.forEach(({ outcome }) => outcomes.add(outcome));
      return breakerState();
    },
    (state) => state === 2,
  );
  const open = await untilOutcome(() => create(randomUUID()), 'UNAVAILABLE/CIRCUIT_OPEN');
  expect(open.error?.details.retryAfterMs).toBeGreaterThan(0);

  const before = await callsOfUsers();
  // Calls that need no other service go on. Those that do are refused at once.
  for (let count = 0; count < 100; count += 1) await create(randomUUID());
  expect(before).toBeGreaterThan(0);
  expect((await callsOfUsers()) - before).toBeLessThan(10);
  const own = await create();
  expect(own.outcome).toBe('OK');
  const { task } = own.response as CreateTaskResponse;
  const read = await testCluster.wire.call(
    '/taskflow.tasks.v1.TasksService/GetTask',
    { taskId: task?.id ?? '' },
    { token: ada.token },
  );
  expect((read.response as GetTaskResponse).task?.id).toBe(task?.id);

  await way.restore();
  await untilOutcome(() => create(ben.id));
  expect(await waitUntil(breakerState, (state) => state === 0)).toBe(0);
}, 400_000);
