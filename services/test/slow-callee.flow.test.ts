import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Task, type CreateTaskResponse, type GetTaskResponse } from '#contract/tasks/v1/tasks';
import { startTcpProxy, until, type TcpProxy } from '#libs/devcluster';
import { startWorld, type Person, type World } from './start-world.ts';

let world: World;
let way: TcpProxy;
const proxies: TcpProxy[] = [];
let ada: Person;
let ben: Person;
beforeAll(async () => {
  world = await startWorld({
    services: ['auth', 'users', 'tasks'],
    route: async (callee, address) => {
      const proxy = await startTcpProxy(address);
      proxies.push(proxy);
      if (callee === 'users') way = proxy;
      return proxy.address;
    },
  });
  [ada, ben] = [await world.register(), await world.register()];
});
afterAll(async () => {
  await world?.stop();
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

const create = async (assigneeId = '') => {
  const task = Task.fromPartial({ title: 'for somebody', assigneeId });
  return world.wire.call('/taskflow.tasks.v1.TasksService/CreateTask', { task, requestId: randomUUID() }, { token: ada.token });
};

async function metricOf(pattern: RegExp): Promise<number> {
  const text = await (await fetch(`${world.cluster.httpAddress('tasks')}/metrics`)).text();
  return Number(text.split('\n').find((line) => pattern.test(line))?.split(' ').at(-1) ?? 0);
}
const breakerState = () => metricOf(/^grpc_client_breaker_state\{callee="users",method="[^"]*BatchGetUsers"/);
/** How many calls to users tasks has made; what the breaker refused is none. What users sees comes ten seconds late. */
async function callsOfUsers(): Promise<number> {
  const text = await (await fetch(`${world.cluster.httpAddress('tasks')}/metrics`)).text();
  const lines = text.split('\n').filter((line) => /^grpc_client_handled_total\{callee="users",method="[^"]*BatchGetUsers"/.test(line) && !line.includes('reason="CIRCUIT_OPEN"'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

it('invariant 4: the breaker to a users that takes ten seconds opens; then tasks answers by itself, users sees only probes, and it closes when users recovers', async () => {
  await until(() => create(ben.id), ({ outcome }) => outcome === 'OK');
  way.delay(10_000);
  // Somebody whom no cache knows.
  const outcomes = new Set<string>();
  await until(
    async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => create(randomUUID())));
      answers.forEach(({ outcome }) => outcomes.add(outcome));
      return breakerState();
    },
    (state) => state === 2,
  );
  const open = await until(() => create(randomUUID()), ({ outcome }) => outcome === 'UNAVAILABLE/CIRCUIT_OPEN');
  expect(open.error?.details.retryAfterMs).toBeGreaterThan(0);

  const before = await callsOfUsers();
  // What needs nobody else goes on, and what does is refused without asking.
  for (let count = 0; count < 100; count += 1) await create(randomUUID());
  expect(before).toBeGreaterThan(0);
  expect((await callsOfUsers()) - before).toBeLessThan(10);
  const own = await create();
  expect(own.outcome).toBe('OK');
  const { task } = own.response as CreateTaskResponse;
  const read = await world.wire.call('/taskflow.tasks.v1.TasksService/GetTask', { taskId: task?.id ?? '' }, { token: ada.token });
  expect((read.response as GetTaskResponse).task?.id).toBe(task?.id);

  await way.restore();
  await until(() => create(ben.id), ({ outcome }) => outcome === 'OK');
  expect(await until(breakerState, (state) => state === 0)).toBe(0);
}, 400_000);
