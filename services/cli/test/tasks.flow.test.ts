import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startCliCluster, type CliCluster } from './start-cli.ts';

interface ShownTask {
  id: string;
  title: string;
  [field: string]: unknown;
}

describe('tasks on the command line', () => {
  let cli: CliCluster;
  beforeAll(async () => {
    cli = await startCliCluster();
    expect(await cli.run(['register', 'ada@example.com', '--name', 'Ada'])).toMatchObject({ code: 0 });
  });
  afterAll(() => cli?.stop());

  const show = async (id: string): Promise<ShownTask> => (await cli.json<{ task: ShownTask }>('show', id)).task;
  const titles = async (...args: string[]): Promise<string[]> =>
    ((await cli.json<{ tasks?: ShownTask[] }>('ls', ...args)).tasks ?? []).map(({ title }) => title);

  it('adds a task with all that belongs to it', async () => {
    const id = await cli.addTask(
      'Water the plants',
      ...['--priority', 'high', '--due', '2026-12-24', '--label', 'home', '--label', 'garden'],
      ...['--description', 'All of them', '--assignee', 'ada@example.com'],
    );

    expect(await show(id)).toMatchObject({
      title: 'Water the plants',
      description: 'All of them',
      priority: 'TASK_PRIORITY_HIGH',
      dueDay: { date: { year: 2026, month: 12, day: 24 }, timeZone: 'Europe/Berlin' },
      labels: ['garden', 'home'],
      assigneeName: 'Ada',
    });
  });

  it('lists by filters, in an order, up to a limit', async () => {
    await cli.addTask('Filtered one', '--label', 'filtered', '--priority', 'low', '--due', '2020-01-01');
    await cli.addTask('Filtered two', '--label', 'filtered', '--priority', 'urgent');

    expect({
      overdue: await titles('--label', 'filtered', '--overdue'),
      urgent: await titles('--label', 'filtered', '--priority', 'urgent,high'),
      highestFirst: await titles('--label', 'filtered', '--order', '-priority'),
      first: await titles('--label', 'filtered', '--order', '-priority', '--limit', '1'),
      found: await titles('--search', 'filt two'),
      done: await titles('--label', 'filtered', '--status', 'completed'),
    }).toEqual({
      overdue: ['Filtered one'],
      urgent: ['Filtered two'],
      highestFirst: ['Filtered two', 'Filtered one'],
      first: ['Filtered two'],
      found: ['Filtered two'],
      done: [],
    });
  });

  it('takes ids as ls shows them', async () => {
    const id = await cli.addTask('Shortened');
    const { output } = await cli.run(['ls', '--search', 'shortened']);
    const [short = ''] = output.split('\n')[1]?.split(' ') ?? [];

    expect({ isShort: short.length < id.length, task: await show(short) }).toMatchObject({
      isShort: true,
      task: { id },
    });
  });

  it('takes the beginning of an id, and the end of one of a batch', async () => {
    const ids = [await cli.addTask('One of several'), await cli.addTask('Another of several')];
    for (const id of ids)
      for (const part of [id.slice(0, -4), id.slice(-8), id.slice(-8).toUpperCase()])
        expect(await show(part)).toMatchObject({ id });
  });

  it('refuses the beginning of two ids, and names both', async () => {
    const ids = [await cli.addTask('One of two'), await cli.addTask('The other of two')];
    const { code, output, errors } = await cli.run(['done', ids[0]?.slice(0, 4) ?? '']);

    expect({ code, output }).toEqual({ code: 64, output: '' });
    for (const text of [...ids, 'One of two', 'The other of two']) expect(errors).toContain(text);
  });

  it('tells when no id begins or ends so', async () => {
    expect(await cli.run(['show', 'ffff'])).toEqual({
      code: 5,
      output: '',
      errors: 'taskflow: there is no task whose id begins or ends with "ffff"\n',
    });
  });

  it('completes, deletes and brings back', async () => {
    const id = await cli.addTask('There and back');

    expect(await cli.run(['done', id])).toMatchObject({ code: 0, output: expect.stringContaining(`done ${id}`) });
    expect(await cli.run(['rm', id])).toMatchObject({ code: 0, output: expect.stringContaining(`deleted ${id}`) });
    expect(await titles('--search', 'there')).toEqual([]);
    expect(await cli.run(['restore', id])).toMatchObject({
      code: 0,
      output: expect.stringContaining('There and back'),
    });
    expect(await show(id)).toMatchObject({ status: 'TASK_STATUS_COMPLETED' });
  });

  it('changes a task by options', async () => {
    const id = await cli.addTask('Before', '--due', 'tomorrow', '--label', 'one');
    const { code } = await cli.run([
      ...['edit', id, '--title', 'After', '--status', 'in-progress', '--due', '2026-12-24 17:00'],
      ...['--add-label', 'two', '--remove-label', 'one'],
    ]);

    expect({ code, task: await show(id) }).toMatchObject({
      code: 0,
      task: { title: 'After', status: 'TASK_STATUS_IN_PROGRESS', dueTime: '2026-12-24T16:00:00Z', labels: ['two'] },
    });
    await cli.run(['edit', id, '--due', 'none']);
    expect(await show(id)).not.toHaveProperty('dueTime');
  });

  it('changes a task in an editor', async () => {
    const id = await cli.addTask('Written', '--description', 'By hand');
    const env = { VISUAL: `sed -i -e 's/^title: .*/title: Rewritten/' -e 's/By hand/By sed/'` };

    expect(await cli.run(['edit', id], { env })).toMatchObject({ code: 0 });
    expect(await show(id)).toMatchObject({ title: 'Rewritten', description: 'By sed' });
    expect(await cli.run(['edit', id], { env: { VISUAL: 'true' } })).toMatchObject({ code: 0, output: '' });
  });

  it('refuses a change of what somebody has changed meanwhile', async () => {
    const id = await cli.addTask('Contended');
    const other = join(cli.folder, 'other.sh');
    const command = `'${process.execPath}' '${join(cli.folder, 'services/cli/main.ts')}'`;
    writeFileSync(other, `${command} edit ${id} --title Theirs > /dev/null\nsed -i 's/^title: .*/title: Ours/' "$1"\n`);
    const { code, errors } = await cli.run(['edit', id], { env: { VISUAL: `sh '${other}'` } });

    expect({ code, errors }).toEqual({ code: 10, errors: expect.stringContaining('ETAG_MISMATCH') });
    expect(await show(id)).toMatchObject({ title: 'Theirs' });
  });

  it('counts', async () => {
    const { stats } = await cli.json<{ stats: Record<string, string> }>('stats');
    const { output } = await cli.run(['stats']);

    expect(output).toMatch(new RegExp(`^all +${stats['totalCount']}$`, 'm'));
  });

  it('names the flags of what is wrong', async () => {
    const { code, errors } = await cli.run([
      'add',
      'x'.repeat(201),
      '--label',
      ' ',
      '--assignee',
      'nobody@example.com',
    ]);

    expect({ code, errors }).toEqual({ code: 3, errors: expect.stringContaining('INVALID_ARGUMENT, INVALID_FIELD') });
    for (const flag of ['the title', '--label']) expect(errors).toMatch(new RegExp(`^  ${flag} `, 'm'));
    expect(errors).toMatch(/^ {2}call [0-9a-f-]{36}$/m);
  });

  it('tells an error as JSON where JSON is asked for', async () => {
    const { code, output, errors } = await cli.run(['show', '01890000-0000-7000-8000-000000000000', '--json']);

    expect({ code, output, error: JSON.parse(errors) as unknown }).toMatchObject({
      code: 5,
      output: '',
      error: { error: { code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND', callId: expect.any(String) } },
    });
  });

  it('tells wrong arguments as JSON where JSON is asked for', async () => {
    const { code, errors } = await cli.run(['ls', '--status', 'finished', '--json']);

    expect({ code, error: JSON.parse(errors) as unknown }).toEqual({
      code: 64,
      error: { error: { code: 'WRONG_ARGUMENTS', message: expect.stringContaining('It is none of pending') } },
    });
  });

  it.each([
    ['an unknown command', ['lst']],
    ['an unknown option', ['ls', '--colour']],
    ['a missing argument', ['show']],
    ['a due time that could mean two things', ['add', 'x', '--due', '01/02/2026']],
    ['a time that does not exist', ['add', 'x', '--due', '2026-03-29 02:30']],
    ['a time that comes twice', ['add', 'x', '--due', '2026-10-25 02:30']],
    ['a word that is none of the choices', ['ls', '--status', 'finished']],
    ['an unknown profile', ['--profile', 'nowhere', 'ls']],
  ])('exits with 64 for %s', async (_what, args) => {
    expect(await cli.run(args)).toMatchObject({ code: 64, output: '', errors: expect.stringMatching(/^taskflow: /) });
  });

  it('follows changes as JSON lines, and ends by Ctrl-C with 130', async () => {
    const watch = cli.start([process.execPath, join(cli.folder, 'services/cli/main.ts'), 'watch', '--all', '--json']);
    await watch.saw(/"kind":"list"/);
    const id = await cli.addTask('Seen by the watch');
    await watch.saw(new RegExp(id));
    watch.child.kill('SIGINT');
    const { code, output, errors } = await watch.ended;

    const kinds = output
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { kind: string }).kind);
    expect({ code, errors, kinds: [...new Set(kinds)] }).toEqual({ code: 130, errors: '', kinds: ['list', 'event'] });
  });

  it('says nothing to a reader that is gone', async () => {
    for (let count = 0; count < 3; count += 1) await cli.addTask(`Long ${'x'.repeat(150)} ${count}`);
    const command = `'${process.execPath}' '${join(cli.folder, 'services/cli/main.ts')}' ls --json`;

    expect(await cli.start(['bash', '-c', `${command} | true; exit \${PIPESTATUS[0]}`]).ended).toEqual({
      code: 0,
      output: '',
      errors: '',
    });
  });

  it('loads a file once, however often it is asked to, and writes it again', async () => {
    const file = 'services/tasks/import/sample.todo.txt';
    const first = await cli.run(['import', file]);
    const second = await cli.run(['import', file]);
    const written = await cli.run(['export', '-', '--format', 'ics']);

    expect([first, second].map(({ code, output }) => ({ code, output }))).toEqual([
      { code: 0, output: '6 added, 0 already there, 0 skipped\n' },
      { code: 0, output: '0 added, 6 already there, 0 skipped\n' },
    ]);
    expect(written).toMatchObject({ code: 0, output: expect.stringContaining('SUMMARY:Renew the passport') });
  });

  it('loads tasks from the standard input', async () => {
    const args = ['import', '-', '--format', 'todo.txt'];

    expect(await cli.run(args, { input: 'Piped in\nBad due:2026-13-01\n' })).toMatchObject({
      code: 65,
      output: '1 added, 0 already there, 1 skipped\n',
      errors: expect.stringMatching(/^-:2: skipped/),
    });
    expect(await titles('--search', 'piped')).toEqual(['Piped in']);
  });

  it('exits with 65 when entries are skipped, and names them', async () => {
    writeFileSync(join(cli.folder, 'broken.txt'), 'Good\nBad due:2026-13-01\n');

    expect(await cli.run(['import', 'broken.txt'])).toMatchObject({
      code: 65,
      output: '1 added, 0 already there, 1 skipped\n',
      errors: expect.stringContaining('broken.txt:2: skipped'),
    });
  });

  it('writes all that is one’s own to a file that others cannot read', async () => {
    const { code } = await cli.run(['export', 'everything.jsonl']);
    const file = join(cli.folder, 'everything.jsonl');

    expect({ code, mode: statSync(file).mode & 0o777, isLeft: existsSync(`${file}.part`) }).toEqual({
      code: 0,
      mode: 0o600,
      isLeft: false,
    });
    expect(readFileSync(file, 'utf8')).toContain('Water the plants');
  });

  it('says something about a task, says it better and takes it back', async () => {
    const id = await cli.addTask('Talked about');
    const numbers = async () =>
      (await cli.json<{ comments: { number: number; text?: string }[] }>('comment', 'ls', id)).comments.map(
        ({ number, text }) => [number, text],
      );
    const add = await cli.run(['comment', 'add', id, 'By noon, @Ada.']);
    expect(add).toMatchObject({ code: 0, output: expect.stringMatching(/^#1 .* Ada\n {2}By noon, @Ada\.$/m) });
    await cli.run(['comment', 'add', id, 'two\u202e lines\nof it']);
    const edit = await cli.run(['comment', 'edit', id, '1', 'By three.']);
    expect(edit.output).toMatch(/Ada \(edited\)\n {2}By three\.$/m);
    const { output } = await cli.run(['comment', 'ls', id]);
    expect(output).toMatch(/^#2 .* Ada\n {2}two lines\n {2}of it$/m);
    expect((await cli.run(['comment', 'rm', id, '1'])).output).toMatch(/^#1 .* Ada \(deleted\)$/m);
    expect(await numbers()).toEqual([
      [1, undefined],
      [2, 'two\u202e lines\nof it'],
    ]);
    expect(await cli.run(['comment', 'edit', id, '1', 'again'])).toMatchObject({ code: expect.any(Number) });
    expect((await cli.run(['comment', 'rm', id, '9'])).code).not.toBe(0);
  });
});
