import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Scope } from '#contract/policy/v1/policy';
import { waitUntil } from '#dev/cluster';
import { Task, TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { formatNames } from '../exchange/formats.ts';
import { calendar, todo } from '../exchange/read-whole.ts';
import { createTask, creations, errorOf, listAll } from './factories.ts';
import { password, programsIn, type TokenHolder } from './run-program.ts';
import { useTasksCluster, type Person } from './start-cluster.ts';
import { dueAt, dueOn } from './due.ts';

const failure = (message: string) => ({ status: 1, errors: expect.stringContaining(message) });
/** What an import says at its end. */
const counts = (added: number, alreadyThere: number, skipped = 0): string =>
  `${added} added, ${alreadyThere} already there, ${skipped} skipped\n`;
const extensions = { 'todo.txt': 'txt', todoist: 'csv', ics: 'ics' } as const;

describe('tasks in files', () => {
  const service = useTasksCluster();
  const folder = mkdtempSync(join(tmpdir(), 'taskflow-exchange-'));
  let accounts = 0;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function newPerson(): Promise<Person> {
    const email = `person-${(accounts += 1)}@example.com`;
    const { account, tokens } = await service.auth.register({ email, password, displayName: 'Person' });
    return { email, userId: account?.id ?? '', as: { token: tokens?.accessToken ?? '' } };
  }

  const run = programsIn(folder, () => service.cluster);

  function write(name: string, ...lines: string[]): string {
    const file = join(folder, name);
    writeFileSync(file, lines.join('\n'));
    return file;
  }

  /** As many tasks like this one, past the service: it would take minutes. */
  async function multiply(task: Task, count: number): Promise<void> {
    const [row] = await service.sql<{ names: string }>(
      `select string_agg(quote_ident(column_name), ', ') as names from information_schema.columns where table_name = 'tasks' and is_generated = 'NEVER'`,
    );
    const names = row?.names ?? '';
    await service.sql(
      `insert into tasks (${names}) select ${names} from (
         select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'title', 'task ' || n, 'create_time', t.create_time + n * interval '1 ms'))).*
         from tasks t, generate_series(1, ${count}) n where t.id = $1) copies`,
      [task.id],
    );
  }

  /** What files know of a task. */
  const known = ({ title, description, status, priority, due, effectiveDueTime, labels }: Task) => ({
    title,
    description,
    status,
    priority,
    due,
    effectiveDueTime,
    labels,
  });
  const listKnown = async (person: Person) =>
    (await listAll(service, person, { pageSize: 500, orderBy: 'title' })).map(known);

  it.each(formatNames)(
    'exported as %s and imported into a fresh account are the same tasks, and importing again adds nothing',
    async (format) => {
      const [giver, taker] = [await newPerson(), await newPerson()];
      const description = format === 'todo.txt' ? '' : 'two lines:\n"quoted", and; \\escaped';
      const tasks = [
        Task.fromPartial({
          title: '01 an instant',
          ...dueAt(new Date('2026-07-01T09:30:00Z')),
          priority: TaskPriority.URGENT,
          description,
        }),
        Task.fromPartial({
          title: '02 a day',
          ...dueOn('2026-03-29', 'Europe/Berlin'),
          labels: ['home', 'été'],
          priority: TaskPriority.LOW,
        }),
        Task.fromPartial({ title: '03 "quotes", commas; ünïcödé 🙂', priority: TaskPriority.HIGH }),
        ...(format === 'todoist'
          ? []
          : Object.values(TaskStatus)
              .slice(1, 5)
              .map((status) => Task.fromPartial({ title: `04 ${status}`, status }))),
        ...Array.from({ length: 450 }, (_, index) =>
          Task.fromPartial({ title: `1${String(index).padStart(3, '0')} of many`, description }),
        ),
      ];
      const { results } = await service.tasks.batchCreateTasks({ requests: creations(tasks) }, giver.as);
      expect(results.every((result) => errorOf(result) === undefined)).toBe(true);
      const foreign = await createTask(service, taker, { title: 'of somebody else', assigneeId: giver.userId });

      const file = join(folder, `round-trip.${extensions[format]}`);
      expect(await run('export', giver, [file])).toEqual({
        status: 0,
        output: '',
        errors: `${tasks.length} written, 1 of others left out: --assigned takes them too\n`,
      });
      expect(statSync(file).mode & 0o077).toBe(0);
      await service.tasks.deleteTask({ taskId: foreign.id }, taker.as);
      const expected = await listKnown(giver);

      expect(await run('import', taker, [file])).toEqual({ status: 0, output: counts(tasks.length, 0), errors: '' });
      expect(await listKnown(taker)).toEqual(expected);
      expect(await run('import', taker, [file])).toMatchObject({ status: 0, output: counts(0, tasks.length) });
      expect(await listKnown(taker)).toEqual(expected);

      // In the account that they come from, and from the copies, they are known as well.
      expect(await run('import', giver, [file])).toEqual({ status: 0, output: counts(0, tasks.length), errors: '' });
      const again = join(folder, `again.${extensions[format]}`);
      expect(await run('export', taker, [again])).toMatchObject({ status: 0 });
      expect(await run('import', giver, [again])).toMatchObject({ output: counts(0, tasks.length) });
      expect(await listKnown(giver)).toEqual(expected);
    },
  );

  it('name every entry that is skipped, with its place and field, and load the others', async () => {
    const person = await newPerson();
    const long = 'w'.repeat(51);
    const text = write('bad.txt', '(A) fine', `too long a label +${long}`, 'no such day due:2026-02-30', 'last');
    expect(await run('import', person, [text])).toEqual({
      status: 2,
      output: '2 added, 0 already there, 2 skipped\n',
      errors: expect.stringMatching(
        /^\S+bad\.txt:3: skipped: the due date "2026-02-30" is not a date.*\n\S+bad\.txt:2: skipped: labels\[0\] must have 1 to 50 characters\n$/,
      ),
    });
    const ics = write('bad.ics', calendar(...todo('one'), ...todo('two', `CATEGORIES:${long}`)));
    expect(await run('import', person, [ics])).toMatchObject({
      status: 2,
      errors: expect.stringContaining('bad.ics:7: UID two: skipped: labels[0] must have 1 to 50 characters'),
    });
    expect((await listKnown(person)).map(({ title }) => title)).toEqual(['fine', 'last', 'x']);
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
    expect(await run('import', person, [file, '--dry-run'])).toMatchObject({
      output: 'nothing was written; would be: 0 added, 1 already there, 1 skipped\n',
    });
  });

  it('are not touched by a file that is broken or of an unknown format, nor by a wrong password', async () => {
    const person = await newPerson();
    const broken = write('broken.csv', 'TYPE,CONTENT', 'task,fine', 'task,"not closed');
    expect(await run('import', person, [broken])).toMatchObject({
      status: 1,
      output: '',
      errors: expect.stringMatching(
        /^import: \S+broken\.csv is no CSV file: a quote that is opened in line 3 is not closed; nothing was imported\n$/,
      ),
    });
    const events = write('events.ics', calendar('BEGIN:VEVENT', 'SUMMARY:a meeting', 'END:VEVENT'));
    expect(await run('import', person, [events])).toMatchObject({ ...failure('holds no task'), output: '' });
    const wrong: [Parameters<typeof run>[0], string[], string][] = [
      ['import', [write('tasks.doc', 'x')], 'say it with --format todo.txt|todoist|ics'],
      ['import', [write('zone.txt', 'x'), '--zone', 'Mars/Base'], '--zone Mars/Base'],
      ['export', ['tasks.json'], 'say it with --format todo.txt|todoist|ics'],
      ['export', ['tasks.txt', '--format', 'yaml'], '--format yaml: is none of todo.txt, todoist, ics, jsonl'],
    ];
    for (const [program, args, fault] of wrong)
      expect(await run(program, person, args)).toMatchObject({ ...failure(fault), status: 64 });
    expect(await run('import', { ...person, email: 'nobody@example.com' }, [write('fine.txt', 'x')])).toMatchObject(
      failure('CREDENTIALS_INVALID'),
    );
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
    expect(output.split('\n')).toEqual([
      expect.stringMatching(/^TYPE,CONTENT,DESCRIPTION,PRIORITY/),
      expect.stringMatching(/^"task","open"/),
      '',
    ]);
  });

  it('have everything named that a format has no place for', async () => {
    const person = await newPerson();
    const task = await createTask(service, person, {
      title: '=1+1',
      description: 'lost\r\n',
      status: TaskStatus.IN_PROGRESS,
      labels: ['two words'],
    });
    const losses = async (format: string): Promise<string[]> =>
      (await run('export', person, ['-', '--format', format])).errors
        .replaceAll(`task ${task.id} is written `, '')
        .split('\n')
        .slice(0, -2);
    expect(await losses('todo.txt')).toEqual([
      'with the label "two words" as two_words',
      'without its description, which todo.txt has no place for',
    ]);
    expect(await losses('ics')).toEqual(['with LF as its line breaks, the only ones of iCalendar']);
    expect(await losses('todoist')).toEqual([
      'with the label "two words" as two_words',
      'as not begun: Todoist has no place for IN_PROGRESS',
      'with an apostrophe before what a spreadsheet would take for a formula; an import takes it off',
    ]);
  });

  it('are all there, once, although the service was killed while they were loaded', async () => {
    const person = await newPerson();
    const file = write('killed.txt', ...Array.from({ length: 1500 }, (_, index) => `task ${index}`));
    const importing = run('import', person, [file]);
    await waitUntil(
      async () => Number((await service.tasks.getTaskStats({}, person.as)).stats?.totalCount),
      (total) => total > 0,
    );
    await service.cluster.kill('tasks', 'SIGKILL');
    await service.cluster.start('tasks');
    expect(await importing).toMatchObject({ status: 0, output: counts(1500, 0) });
    expect(new Set((await listAll(service, person, { pageSize: 500 })).map(({ title }) => title)).size).toBe(1500);
  });

  describe('Q10 that take 60 MB', () => {
    const count = 6000;
    /** Cannot hold the file beside the program, which takes 28 MB. A smaller heap spends its time in garbage collection. */
    const heap = ['--max-old-space-size=80'];
    let person: Person;
    beforeAll(async () => {
      person = await newPerson();
      await multiply(await createTask(service, person, { description: 'd'.repeat(10_000) }), count);
    });

    it.each(formatNames)(
      'leave as %s in an even flow, and come back: a heap that cannot hold the file is enough',
      async (format) => {
        const file = join(folder, `many.${extensions[format]}`);
        expect(await run('export', person, [file], heap)).toMatchObject({
          status: 0,
          errors: expect.stringMatching(new RegExp(`(^|\n)${count + 1} written\n$`)),
        });
        let titles = 0;
        for await (const line of createInterface({ input: createReadStream(file) }))
          titles += /task \d+/.test(line) ? 1 : 0;
        expect(titles).toBe(count);
        // The other two read the same lines with less to remember; one import is enough.
        if (format === 'ics')
          expect(await run('import', person, [file], heap)).toEqual({
            status: 0,
            output: counts(0, count + 1),
            errors: '',
          });
        rmSync(file);
      },
      600_000,
    );
  });

  it('are assigned to whom --assignee names, if the account finds them, and else are not imported', async () => {
    const [person, colleague] = [await newPerson(), await newPerson()];
    const file = write('assigned.txt', 'first', 'second');
    const importFor = () => run('import', person, [file, '--assignee', colleague.email.toUpperCase()]);
    expect(await importFor()).toMatchObject(failure('the account finds nobody by this e-mail; nothing was imported'));
    expect(await listKnown(person)).toEqual([]);
    await createTask(service, person, { title: 'shared', assigneeId: colleague.userId });
    expect(await importFor()).toMatchObject({ status: 0, output: counts(2, 0) });
    expect(await importFor()).toMatchObject({ status: 0, output: counts(0, 2) });
    const titles = (await listAll(service, colleague, { pageSize: 500, orderBy: 'title' })).map(({ title }) => title);
    expect(titles).toEqual(['first', 'second', 'shared']);
  });

  it('are loaded and written with a personal token in place of e-mail and password', async () => {
    const person = await newPerson();
    const withToken = async (...scopes: Scope[]): Promise<TokenHolder> => {
      const request = { name: 'a program', scopes, ttl: { seconds: 3600n, nanos: 0 } };
      return { ...person, personalToken: (await service.auth.createPersonalToken(request, person.as)).token };
    };
    const file = write('token.txt', 'Buy milk', 'Sell milk');
    const writer = await withToken(Scope.TASKS_READ, Scope.TASKS_WRITE);
    expect(await run('import', writer, [file])).toEqual({ status: 0, output: counts(2, 0), errors: '' });
    const reader = await withToken(Scope.TASKS_READ, Scope.USERS_READ);
    const { status, output } = await run('export', reader, ['-', '--format', 'todo.txt']);
    expect([status, output.match(/(Buy|Sell) milk/g)?.toSorted()]).toEqual([0, ['Buy milk', 'Sell milk']]);
    const lacking = await run('import', reader, [write('more.txt', 'Drink milk')]);
    expect(lacking).toMatchObject(failure('lacks the scope tasks:write'));
    expect(await run('import', writer, [file, '--email', person.email])).toMatchObject({
      status: 64,
      errors: expect.stringContaining('not with both'),
    });
  });

  it('come from the sample that the README loads', async () => {
    const sample = fileURLToPath(new URL('../import/sample.todo.txt', import.meta.url));
    expect(readFileSync(sample, 'utf8').trim().split('\n')).toHaveLength(6);
    expect(await run('import', await newPerson(), [sample])).toMatchObject({ status: 0, output: counts(6, 0) });
  });
});
