import { execFile } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '#libs/devcluster';
import { Client } from 'pg';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { Task, TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { openPublicClient } from '#libs/grpc';
import { formatNames } from '../exchange/formats.ts';
import { createTask, listAll } from './factories.ts';
import { startTasksCluster, type TasksCluster } from './start-cluster.ts';
import type { TestUser } from './start-tasks.ts';

interface Person extends TestUser {
  email: string;
}

interface Ended {
  status: number;
  output: string;
  errors: string;
}

const password = 'a long passphrase';
const programs = { import: fileURLToPath(new URL('../import/main.ts', import.meta.url)), export: fileURLToPath(new URL('../export/main.ts', import.meta.url)) };
const extensions = { 'todo.txt': 'txt', todoist: 'csv', ics: 'ics' } as const;

describe('tasks in files', () => {
  let service: TasksCluster;
  let folder: string;
  let accounts = 0;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'taskflow-exchange-'));
    service = await startTasksCluster();
  });
  afterAll(async () => {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function newPerson(): Promise<Person> {
    const auth = openPublicClient(AuthServiceService, service.cluster.address('auth'));
    const email = `person-${(accounts += 1)}@example.com`;
    const { account, tokens } = await auth.register({ email, password, displayName: 'Person' });
    auth.close();
    return { email, userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } };
  }

  function run(program: keyof typeof programs, person: Person, args: string[], nodeArgs: string[] = []): Promise<Ended> {
    const env = {
      ...process.env,
      NODE_OPTIONS: '',
      TASKFLOW_EMAIL: person.email,
      TASKFLOW_PASSWORD: password,
      TASKFLOW_AUTH_ADDRESS: service.cluster.address('auth'),
      TASKFLOW_TASKS_ADDRESS: service.cluster.address('tasks'),
    };
    return new Promise((resolve) => {
      execFile(process.execPath, [...nodeArgs, programs[program], ...args], { env, cwd: folder }, (error, output, errors) => {
        resolve({ status: error === null ? 0 : Number(error.code ?? -1), output, errors });
      });
    });
  }

  function write(name: string, ...lines: string[]): string {
    const file = join(folder, name);
    writeFileSync(file, lines.join('\n'));
    return file;
  }

  /** As many tasks like this one, past the service: it would take minutes. */
  async function multiply(task: Task, count: number): Promise<void> {
    const database = new Client({ connectionString: service.cluster.databaseUrl('tasks') });
    await database.connect();
    try {
      const { rows } = await database.query<{ names: string }>(
        `select string_agg(quote_ident(column_name), ', ') as names from information_schema.columns where table_name = 'tasks' and is_generated = 'NEVER'`,
      );
      const names = rows[0]?.names ?? '';
      await database.query(
        `insert into tasks (${names}) select ${names} from (
           select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'title', 'task ' || n, 'create_time', t.create_time + n * interval '1 ms'))).*
           from tasks t, generate_series(1, ${count}) n where t.id = $1) copies`,
        [task.id],
      );
    } finally {
      await database.end();
    }
  }

  /** What files know of a task. */
  const known = ({ title, description, status, priority, dueTime, dueDate, dueZone, labels }: Task) => ({ title, description, status, priority, dueTime, dueDate, dueZone, labels });
  const listKnown = async (person: Person) => (await listAll(service, person, { pageSize: 500, orderBy: 'title' })).map(known);

  it.each(formatNames)('exported as %s and imported into a fresh account are the same tasks, and importing again adds nothing', async (format) => {
    const [giver, taker] = [await newPerson(), await newPerson()];
    const description = format === 'todo.txt' ? '' : 'two lines:\n"quoted", and; \\escaped';
    const tasks = [
      Task.fromPartial({ title: '01 an instant', dueTime: new Date('2026-07-01T09:30:00Z'), priority: TaskPriority.URGENT, description }),
      Task.fromPartial({ title: '02 a day', dueDate: '2026-03-29', dueZone: 'Europe/Berlin', labels: ['home', 'été'], priority: TaskPriority.LOW }),
      Task.fromPartial({ title: '03 "quotes", commas; ünïcödé 🙂', priority: TaskPriority.HIGH }),
      ...(format === 'todoist' ? [] : Object.values(TaskStatus).slice(1, 5).map((status) => Task.fromPartial({ title: `04 ${status}`, status }))),
      ...Array.from({ length: 450 }, (_, index) => Task.fromPartial({ title: `1${String(index).padStart(3, '0')} of many`, description })),
    ];
    const { results } = await service.tasks.batchCreateTasks({ tasks }, giver.as);
    expect(results.every(({ error }) => error === undefined)).toBe(true);
    const foreign = await createTask(service, taker, { title: 'of somebody else', assigneeId: giver.userId });

    const file = join(folder, `round-trip.${extensions[format]}`);
    expect(await run('export', giver, [file])).toEqual({ status: 0, output: '', errors: `${tasks.length} written, 1 of others left out: --assigned takes them too\n` });
    expect(statSync(file).mode & 0o077).toBe(0);
    await service.tasks.deleteTask({ taskId: foreign.id }, taker.as);
    const expected = await listKnown(giver);

    expect(await run('import', taker, [file])).toEqual({ status: 0, output: `${tasks.length} added, 0 already there, 0 skipped\n`, errors: '' });
    expect(await listKnown(taker)).toEqual(expected);
    expect(await run('import', taker, [file])).toMatchObject({ status: 0, output: `0 added, ${tasks.length} already there, 0 skipped\n` });
    expect(await listKnown(taker)).toEqual(expected);
  });

  it('name every entry that is skipped, with its place and field, and load the others', async () => {
    const person = await newPerson();
    const long = 'w'.repeat(51);
    const text = write('bad.txt', '(A) fine', `too long a label +${long}`, 'no such day due:2026-02-30', 'last');
    expect(await run('import', person, [text])).toEqual({
      status: 2,
      output: '2 added, 0 already there, 2 skipped\n',
      errors: expect.stringMatching(/^\S+bad\.txt:3: skipped: the due date "2026-02-30" is not a date.*\n\S+bad\.txt:2: skipped: labels\[0\] must have 1 to 50 characters\n$/),
    });
    const ics = write('bad.ics', 'BEGIN:VCALENDAR', 'BEGIN:VTODO', 'UID:one', 'SUMMARY:fine too', 'END:VTODO', 'BEGIN:VTODO', 'UID:two', 'SUMMARY:x', `CATEGORIES:${long}`, 'END:VTODO', 'END:VCALENDAR');
    expect(await run('import', person, [ics])).toMatchObject({ status: 2, errors: expect.stringContaining('bad.ics: UID two: skipped: labels[0] must have 1 to 50 characters') });
    expect((await listKnown(person)).map(({ title }) => title)).toEqual(['fine', 'fine too', 'last']);
  });

  it('are only checked with --dry-run', async () => {
    const person = await newPerson();
    const file = write('dry.txt', 'one', `two +${'w'.repeat(51)}`);
    expect(await run('import', person, [file, '--dry-run'])).toEqual({
      status: 2,
      output: 'nothing was written; would be: 1 added, 0 already there, 1 skipped\n',
      errors: expect.stringContaining('dry.txt:2: skipped: labels[0] must have 1 to 50 characters'),
    });
    expect(await listAll(service, person)).toEqual([]);
    expect(await run('import', person, [file])).toMatchObject({ output: '1 added, 0 already there, 1 skipped\n' });
    expect(await run('import', person, [file, '--dry-run'])).toMatchObject({ output: 'nothing was written; would be: 0 added, 1 already there, 1 skipped\n' });
  });

  it('are not touched by a file that is broken or of an unknown format, nor by a wrong password', async () => {
    const person = await newPerson();
    const broken = write('broken.csv', 'TYPE,CONTENT', 'task,fine', 'task,"not closed');
    expect(await run('import', person, [broken])).toMatchObject({ status: 1, output: '', errors: expect.stringMatching(/^import: \S+broken\.csv is no CSV file: Quote Not Closed.*; nothing was imported\n$/) });
    expect(await run('import', person, [write('tasks.doc', 'x')])).toMatchObject({ status: 1, errors: expect.stringContaining('say it with --format todo.txt|todoist|ics') });
    expect(await run('import', person, [write('zone.txt', 'x'), '--zone', 'Mars/Base'])).toMatchObject({ status: 1, errors: expect.stringContaining('--zone Mars/Base') });
    expect(await run('import', { ...person, email: 'nobody@example.com' }, [write('fine.txt', 'x')])).toMatchObject({ status: 1, errors: expect.stringContaining('CREDENTIALS_INVALID') });
    expect(await listAll(service, person)).toEqual([]);
    expect(await run('export', { ...person, email: 'nobody@example.com' }, ['none.txt'])).toMatchObject({ status: 1 });
    expect([existsSync(join(folder, 'none.txt')), existsSync(join(folder, 'none.txt.part'))]).toEqual([false, false]);
  });

  it('go to the standard output, and to Todoist without those that are done', async () => {
    const person = await newPerson();
    await createTask(service, person, { title: 'open' });
    await createTask(service, person, { title: 'done', status: TaskStatus.COMPLETED });
    const { status, output, errors } = await run('export', person, ['-', '--format', 'todoist']);
    expect([status, errors]).toEqual([0, '1 written, 1 left out: the format has only open tasks\n']);
    expect(output.split('\n')).toEqual([expect.stringMatching(/^TYPE,CONTENT,DESCRIPTION,PRIORITY/), expect.stringMatching(/^"task","open"/), '']);
  });

  it('are all there, once, although the service was killed while they were loaded', async () => {
    const person = await newPerson();
    const file = write('killed.txt', ...Array.from({ length: 1500 }, (_, index) => `task ${index}`));
    const importing = run('import', person, [file]);
    await until(async () => Number((await service.tasks.getTaskStats({}, person.as)).stats?.total), (total) => total > 0);
    await service.cluster.kill('tasks', 'SIGKILL');
    await service.cluster.start('tasks');
    expect(await importing).toMatchObject({ status: 0, output: '1500 added, 0 already there, 0 skipped\n' });
    expect(new Set((await listAll(service, person, { pageSize: 500 })).map(({ title }) => title)).size).toBe(1500);
  });

  describe('Q10 that take 100 MB', () => {
    const count = 10_000;
    let person: Person;
    beforeAll(async () => {
      person = await newPerson();
      await multiply(await createTask(service, person, { description: 'd'.repeat(10_000) }), count);
    });

    it.each(formatNames)('leave as %s in an even flow: a heap of half that is enough', async (format) => {
      const file = join(folder, `many.${extensions[format]}`);
      expect(await run('export', person, [file], ['--max-old-space-size=48'])).toMatchObject({ status: 0, errors: `${count + 1} written\n` });
      let titles = 0;
      for await (const line of createInterface({ input: createReadStream(file) })) titles += /task \d+/.test(line) ? 1 : 0;
      expect(titles).toBe(count);
      rmSync(file);
    }, 600_000);
  });

  it('come from the sample that the README loads', async () => {
    const sample = fileURLToPath(new URL('../import/sample.todo.txt', import.meta.url));
    expect(readFileSync(sample, 'utf8').trim().split('\n')).toHaveLength(6);
    expect(await run('import', await newPerson(), [sample])).toMatchObject({ status: 0, output: '6 added, 0 already there, 0 skipped\n' });
  });
});
