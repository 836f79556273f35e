import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deadJob } from '../../../libs/dev/flows/job-records.ts';
import { newEmail, startCliCluster, type CliCluster, type Ended } from './start-cli.ts';

describe('administration on the command line', () => {
  let cli: CliCluster;
  beforeAll(async () => {
    cli = await startCliCluster();
    const env = { TASKFLOW_PASSWORD: cli.cluster.admin.password };
    expect(await cli.run(['login', cli.cluster.admin.email], { env })).toMatchObject({ code: 0 });
    await cli.run(['profile', 'set', 'theirs']);
  });
  afterAll(() => cli?.stop());

  const users = (...args: string[]): Promise<Ended> => cli.run(['admin', 'users', ...args]);
  const asThem = (...args: string[]): Promise<Ended> => cli.run(['--profile', 'theirs', ...args]);

  it('makes an account, shuts it out, and lets it in again', async () => {
    const email = newEmail();

    expect(await users('create', email, '--name', 'Grace')).toMatchObject({ code: 0 });
    expect(await asThem('login', email)).toMatchObject({ code: 0 });
    expect(await users('disable', email)).toMatchObject({ code: 0, output: `${email} is disabled\n` });
    expect(await asThem('login', email)).toMatchObject({ code: 16 });
    expect(await users('ls', '--disabled')).toMatchObject({ output: expect.stringContaining(email) });
    expect(await users('enable', email)).toMatchObject({ code: 0 });
    expect(await asThem('login', email)).toMatchObject({ code: 0 });
  });

  it('gives a role, and finds people by it', async () => {
    const email = newEmail();
    await users('create', email);

    expect(await users('role', email, 'admin')).toMatchObject({ code: 0, output: `${email} is admin\n` });
    const found = await cli.json<{ users: { email: string }[] }>(
      'admin',
      'users',
      'find',
      email.slice(0, 8),
      '--role',
      'admin',
    );
    expect(found.users.map((user) => user.email)).toEqual([email]);
    expect(await users('role', email, 'root')).toMatchObject({ code: 64 });
  });

  it('invites somebody, who registers by the token alone on standard output', async () => {
    const email = newEmail();
    const { output } = await users('invite', email);

    expect(await asThem('register', email, '--invitation', output.trim())).toMatchObject({ code: 0 });
  });

  it('deletes an account only when somebody is sure, and brings it back', async () => {
    const email = newEmail();
    await users('create', email);

    expect(await users('delete', email)).toMatchObject({ code: 64, errors: expect.stringContaining('--yes') });
    expect(await asThem('login', email)).toMatchObject({ code: 0 });
    expect(await users('delete', email, '--yes')).toMatchObject({ code: 0 });
    expect(await asThem('login', email)).toMatchObject({ code: 16 });
    expect(await users('restore', email)).toMatchObject({ code: 0, output: `${email} is back\n` });
    expect(await asThem('login', email)).toMatchObject({ code: 0 });
  });

  it('tells that nobody has an e-mail', async () => {
    expect(await users('disable', 'nobody@example.com')).toMatchObject({
      code: 5,
      errors: 'taskflow: nobody has the e-mail nobody@example.com\n',
    });
  });

  it('holds a queue, and lets it go on', async () => {
    const state = async (): Promise<boolean> => {
      const { queues } = await cli.json<{ queues: { name: string; paused?: boolean }[] }>('admin', 'queues');
      return queues.find(({ name }) => name === 'webhooks')?.paused === true;
    };
    await cli.run(['admin', 'queues', 'pause', 'webhooks']);
    expect(await state()).toBe(true);
    await cli.run(['admin', 'queues', 'resume', 'webhooks']);
    expect(await state()).toBe(false);
  });

  it('decides for a breaker for a while, and lets it decide by itself again', async () => {
    type Listed = { breakers: { callee: string; method: string; override?: { state: string; reason: string } }[] };
    const edges = async () => (await cli.json<Listed>('admin', 'breakers', '--at', 'tasks')).breakers;
    await cli.addTask('So that tasks has asked users something');
    const [{ callee, method } = { callee: '', method: '' }] = await edges();
    const edge = ['tasks', callee, method];
    const overrides = async () => (await edges()).flatMap(({ override }) => override ?? []);

    const force = ['admin', 'breakers', 'force', ...edge, 'closed', '--for', '1h', '--reason', 'a drill'];
    expect(await cli.run(force)).toMatchObject({ code: 0, output: expect.stringMatching(/^closed until /) });
    expect(await overrides()).toMatchObject([{ state: 'BREAKER_STATE_CLOSED', reason: 'a drill' }]);
    expect(await cli.run(['admin', 'breakers', 'release', ...edge])).toMatchObject({ code: 0 });
    expect(await overrides()).toEqual([]);
    const wrong = ['force', 'tasks', callee, method, 'half', '--for', '1y', '--reason', 'none'];
    expect(await cli.run(['admin', 'breakers', ...wrong])).toMatchObject({ code: 64 });
  });

  it('makes a schedule, and deletes it only when somebody is sure', async () => {
    const schedules = async (): Promise<object | undefined> => {
      const { schedules: all } = await cli.json<{ schedules: { id: string }[] }>('admin', 'schedules');
      return all.find(({ id }) => id === 'at-night');
    };
    const create = ['admin', 'schedules', 'create', 'at-night', '--job', 'prune-records'];

    expect(await cli.run(create)).toMatchObject({ code: 64, errors: expect.stringContaining('--cron') });
    expect(await cli.run([...create, '--cron', '30 3 * * *', '--zone', 'Europe/Berlin'])).toMatchObject({ code: 0 });
    expect(await schedules()).toMatchObject({
      job: 'SCHEDULE_JOB_PRUNE_RECORDS',
      cron: { expression: '30 3 * * *', timeZone: 'Europe/Berlin' },
    });
    const remove = ['admin', 'schedules', 'delete', 'at-night'];
    expect(await cli.run(remove)).toMatchObject({ code: 64, errors: expect.stringContaining('--yes') });
    expect(await cli.run([...remove, '--yes'])).toMatchObject({ code: 0 });
    expect(await schedules()).toBeUndefined();
  });

  it('shows dead jobs, and gives one up', async () => {
    const id = await deadJob(cli);

    expect(await cli.run(['admin', 'dead-jobs'])).toMatchObject({
      output: expect.stringMatching(new RegExp(`${id} .*open`)),
    });
    expect(await cli.run(['admin', 'dead-jobs', 'discard', id])).toMatchObject({ code: 0 });
    expect((await cli.run(['admin', 'dead-jobs'])).output).not.toContain(id);
  });

  it('shows who did what, of all services together', async () => {
    await cli.run(['admin', 'queues', 'pause', 'mails']);
    await cli.run(['admin', 'queues', 'resume', 'mails']);
    const { events } = await cli.json<{ events: { action: string; createTime: string }[] }>('admin', 'audit');

    expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(['signed_in', 'PauseQueue']));
    expect(events.map(({ createTime }) => createTime)).toEqual(
      events
        .map(({ createTime }) => createTime)
        .toSorted()
        .toReversed(),
    );
  });
});
