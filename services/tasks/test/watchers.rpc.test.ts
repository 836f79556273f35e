import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Task, type WatchTasksResponse } from '#contract/tasks/v1/tasks';
import { createTask } from './factories.ts';
import { events, watch, type Watching } from './mirror.ts';
import { startTasks, type TestTasks } from './start-tasks.ts';

let service: TestTasks;
beforeAll(async () => {
  service = await startTasks();
});
afterAll(() => service.stop());

it('Q8 serves 500 who watch with one reader, and one who does not read stops nobody and misses nothing', async () => {
  const users = await Promise.all(Array.from({ length: 500 }, () => service.newUser()));
  const watching: Watching[] = [];
  for (const user of users) watching.push(await watch(service, user));

  const slow = await service.newUser();
  const frozen = service.tasks.watchTasks({}, slow.as);
  await frozen.next();
  const description = 'x'.repeat(10_000);
  const batch = { tasks: Array.from({ length: 100 }, (_, number) => Task.fromPartial({ title: `task ${number}`, description })) };
  for (let round = 0; round < 5; round += 1) await service.tasks.batchCreateTasks(batch, slow.as);

  const created: Task[] = [];
  for (const user of users) created.push(await createTask(service, user));
  const lastWrite = Date.now();
  await Promise.all(watching.map((one) => one.until(() => events(one).length > 0)));
  expect(Date.now() - lastWrite).toBeLessThan(2000);
  expect(watching.map((one) => events(one).map(({ taskId }) => taskId))).toEqual(created.map(({ id }) => [id]));

  const late: WatchTasksResponse[] = [];
  for await (const message of frozen) {
    if (message.event !== undefined) late.push(message);
    if (late.length === 500) break;
  }
  expect(late.map(({ event }) => event?.sequence)).toEqual(Array.from({ length: 500 }, (_, index) => BigInt(index + 1)));
  await Promise.all(watching.map((one) => one.stop()));
}, 60_000);
