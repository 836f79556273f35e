import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Task, TasksServiceService } from '#contract/tasks/v1/tasks';
import { queryDatabase, serviceNames, waitUntil, type ServiceName } from '#dev/cluster';
import { openStub, type CallError } from '#dev/stubs';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';

let testCluster: TestCluster;
let owner: Person;
let assignee: Person;
beforeAll(async () => {
  testCluster = await startTestCluster();
  [owner, assignee] = [await testCluster.register(), await testCluster.register()];
});
afterAll(() => testCluster?.stop());

type Line = Readonly<Record<string, unknown>>;
const linesOf = (service: ServiceName): Line[] =>
  testCluster.cluster
    .logs(service)
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));

describe('H2: the id that a client sends with a call', () => {
  it('stands in the lines of every service that worked for it, and of the job that followed', async () => {
    const id = `follow-${randomUUID()}`;
    const task = Task.fromPartial({ title: 'Water the plants', assigneeId: assignee.id });
    await testCluster.wire.call(
      '/taskflow.tasks.v1.TasksService/CreateTask',
      { task },
      { token: owner.token, metadata: { 'x-request-id': id } },
    );
    const known = (service: ServiceName, satisfies: (line: Line) => boolean) =>
      waitUntil(async () => linesOf(service).some((line) => line['requestId'] === id && satisfies(line)));
    await known('tasks', ({ method }) => method === '/taskflow.tasks.v1.TasksService/CreateTask');
    await known('users', ({ caller }) => caller === 'tasks');
    await known('scheduler', ({ msg }) => msg === 'job completed');
  });
});

describe('I4: a process that is asked to end', () => {
  it('says first that it no longer serves, then ends its streams so that clients go elsewhere, then itself', async () => {
    const client = openStub(TasksServiceService, testCluster.cluster.address('tasks'));
    let [seen, reason] = [0, ''];
    const watching = (async () => {
      for await (const message of client.watchTasks({}, { token: owner.token }))
        seen += message.resumeToken === '' ? 0 : 1;
    })().catch((error: CallError) => void (reason = error.reason ?? error.message));
    await waitUntil(() => seen > 0);
    const before = linesOf('tasks').length;
    await testCluster.cluster.kill('tasks', 'SIGTERM');
    await watching;
    client.close();
    expect(reason).toBe('SHUTTING_DOWN');
    const order = linesOf('tasks')
      .slice(before)
      .flatMap(({ msg, serving, reason: why, method }) => {
        if (msg === 'health changed' && serving === false) return ['not serving'];
        if (msg === 'call ended' && why === 'SHUTTING_DOWN' && String(method).endsWith('WatchTasks'))
          return ['stream ended'];
        return msg === 'stopped' ? ['stopped'] : [];
      });
    expect(order).toEqual(['not serving', 'stream ended', 'stopped']);
    await testCluster.cluster.start('tasks');
  });
});

describe('I6: a release whose database a later one has migrated already', () => {
  const change = (service: ServiceName, text: string): Promise<unknown> =>
    queryDatabase(testCluster.cluster.databaseUrl(service), text);

  it('starts and goes on: migrations only add', async () => {
    for (const service of serviceNames)
      await change(service, `insert into schema_migrations (name) values ('9999-of-the-next-release')`);
    await change(
      'tasks',
      `alter table tasks add from_the_next_release text not null default 'x'; alter table events add from_the_next_release int null; create table of_the_next_release (id int)`,
    );
    for (const service of serviceNames) await testCluster.cluster.restart(service);
    const { id } = await testCluster.createTask(owner, assignee);
    const { outcome, response } = await testCluster.wire.call(
      '/taskflow.tasks.v1.TasksService/GetTask',
      { taskId: id },
      { token: assignee.token },
    );
    expect({ outcome, response }).toMatchObject({ outcome: 'OK', response: { task: { id, ownerName: 'Ada' } } });
  });
});
