import { expect, it } from '@jest/globals';
import { Task, type WatchTasksResponse } from '#contract/tasks/v1/tasks';
import { createTask, creations } from './factories.ts';
import { events, watch, type Watching } from './mirror.ts';
import { useTasks } from './start-tasks.ts';

/** Five hundred heartbeats at once are work too, for one process that is both sides. */
const heartbeatMs = 10_000;
const service = useTasks({ heartbeatMs });

it('Q8 serves 500 who watch with one reader, and one who does not read stops nobody and misses nothing', async () => {
  const users = await Promise.all(Array.from({ length: 500 }, () => service.newUser()));
  const watching: Watching[] = [];
  for (const user of users) watching.push(await watch(service, user));

  const slow = await service.newUser();
  const frozen = service.tasks.watchTasks({}, slow.as);
  await frozen.next();
  const description = 'x'.repeat(10_000);
  const batch = {
    requests: creations(
      Array.from({ length: 100 }, (_, number) => Task.fromPartial({ title: `task ${number}`, description })),
    ),
  };
  for (let round = 0; round < 5; round += 1)
    await service.tasks.batchCreateTasks(batch, { ...slow.as, timeoutMs: 60_000 });

  const created: Task[] = [];
  const silent = (one: Watching | undefined): number =>
    one?.news.filter(({ event }) => event === undefined).length ?? 0;
  const before: number[] = [];
  for (const [index, user] of users.entries()) {
    before.push(silent(watching[index]));
    created.push(await createTask(service, user));
  }
  const heartbeats = await Promise.all(
    watching.map(
      async (one) => (
        await one.until(() => events(one).length > 0),
        one.news.findIndex(({ event }) => event !== undefined)
      ),
    ),
  );
  // Nobody waited for longer than a heartbeat.
  expect(Math.max(...heartbeats.map((count, index) => count - (before[index] ?? 0)))).toBeLessThanOrEqual(1);
  expect(watching.map((one) => events(one).map(({ taskId }) => taskId))).toEqual(created.map(({ id }) => [id]));

  const late: WatchTasksResponse[] = [];
  for await (const message of frozen) {
    if (message.event !== undefined) late.push(message);
    if (late.length === 500) break;
  }
  expect(late.map(({ event }) => event?.sequence)).toEqual(
    Array.from({ length: 500 }, (_, index) => BigInt(index + 1)),
  );
  await Promise.all(watching.map((one) => one.stop()));
});
