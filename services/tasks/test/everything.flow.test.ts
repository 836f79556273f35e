import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toBinary } from '@bufbuild/protobuf';
import { startTcpProxy, waitUntil, type Cluster } from '#dev/cluster';
import { create, type MessageInitShape } from '#client/index';
import { TaskSchema } from '#client/tasks';
import { BatchCreateTasksRequest, Task, TaskStatus } from '#contract/tasks/v1/tasks';
import { Scope } from '#contract/policy/v1/policy';
import { draft, type TaskDraft } from '../exchange/any-task.ts';
import { toTaskMessage } from '../exchange/task-messages.ts';
import { createTask, creations, errorOf, listAll } from './factories.ts';
import { password, programsIn } from './run-program.ts';
import { useTasksCluster, type Person } from './start-cluster.ts';

const checksumOf = (text: string): string | undefined => /\d+ tasks, checksum [0-9a-f]{64}/.exec(text)?.[0];

const toTask = (task: MessageInitShape<typeof TaskSchema>): Task =>
  Task.decode(toBinary(TaskSchema, create(TaskSchema, task)));

describe('everything of an account', () => {
  const service = useTasksCluster({ services: ['auth', 'users', 'tasks', 'scheduler'] });
  const folder = mkdtempSync(join(tmpdir(), 'taskflow-everything-'));
  let accounts = 0;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = programsIn(folder, () => service.cluster);

  async function newPerson(): Promise<Person> {
    const email = `person-${(accounts += 1)}@example.com`;
    const { account, tokens } = await service.auth.register({ email, password, displayName: 'Person' });
    return { email, userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } };
  }

  /** Creates those of the drafts that the service accepts. Returns how many. */
  async function createAccepted(person: Person, drafts: readonly TaskDraft[]): Promise<number> {
    let created = 0;
    for (let from = 0; from < drafts.length; from += 200) {
      const tasks = drafts.slice(from, from + 200).map(({ externalId, ...fields }, index) => {
        const task = { ...fields, externalId: externalId === '' ? '' : `${externalId} ${from + index}` };
        return toTask(toTaskMessage(task, index % 7 === 0 ? person.userId : ''));
      });
      const request = { requests: creations(tasks), allowPartial: true };
      const { results } = await service.tasks.batchCreateTasks(BatchCreateTasksRequest.fromPartial(request), {
        ...person.as,
        timeoutMs: 60_000,
      });
      created += results.filter((result) => errorOf(result) === undefined).length;
    }
    return created;
  }

  /** All that an import keeps of tasks, in an order that does not depend on when they were created. */
  const kept = async (person: Person): Promise<string[]> =>
    (await listAll(service, person, { pageSize: 500 }))
      .map(({ id, title, description, status, priority, due, labels, externalId, assigneeId }) =>
        JSON.stringify([
          ...[title, description, status, priority, due, labels],
          externalId === '' ? `taskflow:${id}` : externalId,
          assigneeId === person.userId,
        ]),
      )
      .toSorted();

  it('comes back from its file as the same tasks with the same checksum, whatever they are', async () => {
    const [giver, taker] = [await newPerson(), await newPerson()];
    const some = fc.sample(draft, { seed: 20_261_129, numRuns: 1000 });
    let total = await createAccepted(giver, some);
    // The rest differs in its titles only: what needs many tasks, such as pages, does not need many kinds.
    const filler = some.filter(({ externalId }) => externalId === '').slice(0, 200);
    while (total < 2000)
      total += await createAccepted(
        giver,
        filler.map((fields) => ({ ...fields, title: `${total} of many` })),
      );
    const deleted = await createTask(service, giver, { title: 'gone' });
    await service.tasks.deleteTask({ taskId: deleted.id }, giver.as);

    const exported = await run('export', giver, [join(folder, 'all.jsonl')]);
    expect(exported).toMatchObject({ status: 0, output: '' });
    const file = join(folder, 'all.jsonl');
    const checksum = checksumOf(exported.errors) ?? '';
    expect(checksum).toMatch(new RegExp(`^${total} tasks`));

    const imported = await run('import', taker, [file]);
    const told = `${total} added, 0 already there, 0 skipped\nthe file has ${checksum}\n`;
    expect(imported).toEqual({ status: 0, output: told, errors: '' });
    expect(await kept(taker)).toEqual(await kept(giver));
    expect(checksumOf((await run('export', taker, [join(folder, 'copy.jsonl')])).errors)).toBe(checksum);

    for (const person of [taker, giver])
      expect(await run('import', person, [file])).toMatchObject({
        output: `0 added, ${total} already there, 0 skipped\nthe file has ${checksum}\n`,
      });
    expect(await run('import', giver, [join(folder, 'copy.jsonl')])).toMatchObject({
      output: expect.stringContaining(`0 added, ${total} already there`),
    });
  }, 600_000);

  it('is a part of each service, and has another checksum when anything of a task is changed', async () => {
    const person = await newPerson();
    const task = await createTask(service, person, { title: 'Water the plants' });
    const exportNow = async () => checksumOf((await run('export', person, [join(folder, 'one.jsonl')])).errors);
    const first = await exportNow();
    const services: unknown[] = [];
    for await (const line of createInterface({ input: createReadStream(join(folder, 'one.jsonl')) })) {
      const { type, service: name } = JSON.parse(line) as Record<string, unknown>;
      if (type === 'header') services.push(name);
    }
    expect(services).toEqual(['auth', 'users', 'tasks', 'scheduler']);
    await service.tasks.updateTask(
      { task: Task.fromPartial({ id: task.id, status: TaskStatus.COMPLETED }), updateMask: ['status'] },
      person.as,
    );
    expect(await exportNow()).not.toBe(first);
  });

  it('imports nothing when it was changed or cut off', async () => {
    const [person, taker] = [await newPerson(), await newPerson()];
    await createTask(service, person, { title: 'Water the plants' });
    await run('export', person, [join(folder, 'whole.jsonl')]);
    const whole = readFileSync(join(folder, 'whole.jsonl'), 'utf8');
    const damaged = {
      'changed.jsonl': [whole.replace('Water the plants', 'Eat the plants'), 'was changed: what tasks exported'],
      'cut.jsonl': [whole.slice(0, whole.indexOf('"type":"task_event"')), 'has no JSON object in line'],
      'short.jsonl': [whole.split('\n').slice(0, -3).join('\n'), 'ends in the middle'],
      'later.jsonl': [whole.replaceAll('"version":1', '"version":2'), 'has another version in line 1'],
      'part.jsonl': [whole.slice(0, whole.indexOf('{"type":"header"', 1)), 'holds no export of the tasks'],
      'other.jsonl': ['{"a":1}\n', 'is no export of TaskFlow'],
    };
    for (const [name, [text = '', fault = '']] of Object.entries(damaged)) {
      writeFileSync(join(folder, name), text);
      const ended = await run('import', taker, [join(folder, name)]);
      expect(ended).toMatchObject({ status: 1, output: '', errors: expect.stringContaining(fault) });
      expect(ended.errors).toContain('nothing was imported');
    }
    expect(await listAll(service, taker)).toEqual([]);
  });

  it('goes to nobody with a personal token, and leaves no file behind when a service is down', async () => {
    const person = await newPerson();
    const request = { name: 'CI', scopes: [Scope.TASKS_READ], ttl: { seconds: 3600n, nanos: 0 } };
    const { token: personalToken } = await service.auth.createPersonalToken(request, person.as);
    expect(await run('export', { ...person, personalToken }, [join(folder, 'token.jsonl')])).toMatchObject({
      status: 64,
      errors: expect.stringContaining('no personal token may take everything away'),
    });
    await service.cluster.kill('scheduler', 'SIGKILL');
    expect(await run('export', person, [join(folder, 'down.jsonl')])).toMatchObject({ status: 1 });
    expect([existsSync(join(folder, 'down.jsonl')), existsSync(join(folder, 'down.jsonl.part'))]).toEqual([
      false,
      false,
    ]);
    await service.cluster.start('scheduler');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('leaves no file behind when it is interrupted by %s', async (signal, status) => {
    const proxy = await startTcpProxy(service.cluster.address('scheduler'));
    // Its part comes last, and not before the file is there.
    proxy.delay(1000);
    const { labels } = service.cluster;
    const address: Cluster['address'] = (name) =>
      name === 'scheduler' ? proxy.address : service.cluster.address(name);
    const file = join(folder, `${signal}.jsonl`);
    const interrupted = programsIn(
      folder,
      () => ({ labels, address }),
      (program) =>
        void waitUntil(() => existsSync(`${file}.part`), Boolean).then(() => {
          proxy.freeze();
          program.kill(signal);
        }),
    );
    expect(await interrupted('export', await newPerson(), [file])).toMatchObject({ status });
    expect([existsSync(file), existsSync(`${file}.part`)]).toEqual([false, false]);
    await proxy.close();
  });
});
