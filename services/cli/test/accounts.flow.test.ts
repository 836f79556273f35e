import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newEmail, password, startCliCluster, taskflow, type CliCluster } from './start-cli.ts';

describe('accounts on the command line', () => {
  let cli: CliCluster;
  beforeAll(async () => {
    cli = await startCliCluster();
    expect(await cli.run(['register', 'ada@example.com', '--name', 'Ada'])).toMatchObject({ code: 0 });
  });
  afterAll(() => cli?.stop());

  /** As if nobody had ever used the command line here. */
  const elsewhere = (name: string) => ({
    XDG_DATA_HOME: join(cli.folder, name, 'data'),
    XDG_CONFIG_HOME: join(cli.folder, name, 'config'),
  });
  const login = (env: Record<string, string>) => cli.run(['login', 'ada@example.com'], { env });

  it('keeps the session in a file that only its owner may read', () => {
    expect(statSync(join(cli.folder, 'data/taskflow/sessions/default.json')).mode & 0o777).toBe(0o600);
  });

  it('signs in by a password from standard input, says who it is, and signs out', async () => {
    const env = { ...elsewhere('stdin'), TASKFLOW_PASSWORD: '' };
    const args = ['login', 'ada@example.com', '--password-stdin'];

    expect(await cli.run(args, { env, input: `${password}\n` })).toEqual({
      code: 0,
      output: 'signed in as ada@example.com\n',
      errors: '',
    });
    expect(await cli.run(['whoami'], { env })).toMatchObject({
      output: expect.stringContaining('Ada <ada@example.com>, user'),
    });
    expect(await cli.run(['logout'], { env })).toMatchObject({ code: 0, output: 'signed out\n' });
    expect(await cli.run(['whoami'], { env })).toMatchObject({
      code: 16,
      errors: expect.stringMatching(/CREDENTIALS_MISSING[\s\S]*taskflow login/),
    });
  });

  it('refuses a wrong password, and keeps the session that was there', async () => {
    expect(await cli.run(['login', 'ada@example.com'], { env: { TASKFLOW_PASSWORD: 'not this one' } })).toMatchObject({
      code: 16,
      errors: expect.stringContaining('CREDENTIALS_INVALID'),
    });
    expect(await cli.run(['whoami'])).toMatchObject({ code: 0 });
  });

  it('asks for no password without a terminal', async () => {
    expect(await cli.run(['login', 'ada@example.com'], { env: { TASKFLOW_PASSWORD: '' } })).toMatchObject({
      code: 64,
      errors: expect.stringContaining('--password-stdin'),
    });
  });

  const terminal = existsSync('/usr/bin/script') && process.platform === 'linux' ? describe : describe.skip;
  terminal('in a terminal', () => {
    const inTerminal = (args: string[], columns: number, env: Record<string, string>) => {
      const command = [...taskflow, ...args].map((part) => `'${part}'`).join(' ');
      const script = `stty cols ${columns}; ${command}`;
      return cli.start(['/usr/bin/script', '-qec', script, '/dev/null'], { env: { ...env, SHELL: '/bin/sh' } });
    };

    it('asks for the password, and does not show it', async () => {
      const run = inTerminal(['login', 'ada@example.com'], 80, { ...elsewhere('asked'), TASKFLOW_PASSWORD: '' });
      await run.saw(/Password/);
      run.child.stdin?.write(`${password}\r`);
      const { code, output } = await run.ended;

      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('signed in as ada@example.com') });
      expect(output).not.toContain(password);
    });

    it('ends a question by Ctrl-C with 130', async () => {
      const run = inTerminal(['login', 'ada@example.com'], 80, { ...elsewhere('left'), TASKFLOW_PASSWORD: '' });
      await run.saw(/Password/);
      run.child.stdin?.write('\u0003');

      expect(await run.ended).toMatchObject({ code: 130 });
    });

    it('leaves the terminal with a cursor when Ctrl-D ends a question', async () => {
      const run = inTerminal(['login', 'ada@example.com'], 80, { ...elsewhere('eof'), TASKFLOW_PASSWORD: '' });
      await run.saw(/Password/);
      run.child.stdin?.write('\u0004');
      const { code, output } = await run.ended;

      expect({ code, last: output.match(/\u001b\[\?25[hl]/g)?.at(-1) }).toEqual({ code: 130, last: '\u001b[?25h' });
    });

    it('cuts titles so that a table fits, wide characters too', async () => {
      await cli.addTask('猫にえさをやって、それから庭の植物に水をやる 🐈 every evening of the week');
      const run = inTerminal(['ls'], 60, {});
      const { output } = await run.ended;
      const line = output.split('\r\n').find((one) => one.includes('猫')) ?? '';
      const shown = line.replaceAll(/\u001b\[[\d;]*m/g, '');
      const columns = [...shown].reduce((sum, one) => sum + (/[\u3000-\u30ff\u4e00-\u9fff]/.test(one) ? 2 : 1), 0);

      expect({ cut: shown.includes('…'), fits: columns <= 60, line: shown }).toEqual({
        cut: true,
        fits: true,
        line: shown,
      });
    });
  });

  it('tells that a session has ended, and how to begin another', async () => {
    const env = elsewhere('ended');
    await login(env);
    await cli.run(['sessions', 'revoke', '--others']);

    expect(await cli.run(['ls'], { env })).toMatchObject({
      code: 16,
      output: '',
      errors: expect.stringMatching(/TOKEN_INVALID[\s\S]*taskflow login/),
    });
  });

  it('keeps two profiles apart', async () => {
    const email = newEmail();
    await cli.run(['profile', 'set', 'other', '--time-zone', 'Asia/Tokyo']);
    await cli.run(['--profile', 'other', 'register', email]);
    const who = async (...args: string[]) =>
      (await cli.json<{ user: { email: string } }>(...args, 'whoami')).user.email;

    expect({ default: await who(), other: await who('--profile', 'other') }).toEqual({
      default: 'ada@example.com',
      other: email,
    });
    await cli.run(['profile', 'use', 'other']);
    expect(await who()).toBe(email);
    expect(await cli.json('add', 'In Tokyo', '--due', 'tomorrow')).toMatchObject({
      task: { dueDay: { timeZone: 'Asia/Tokyo' } },
    });
    await cli.run(['profile', 'use', 'default']);
    await cli.run(['profile', 'rm', 'other']);
    expect(await cli.run(['--profile', 'other', 'ls'])).toMatchObject({ code: 64 });
  });

  it('makes a token that programs use in place of a login, and ends it', async () => {
    const { output } = await cli.run(['token', 'create', 'a program', '--scope', 'tasks:read']);
    const env = { ...elsewhere('program'), TASKFLOW_TOKEN: output.trim() };

    expect(await cli.run(['ls'], { env })).toMatchObject({ code: 0 });
    expect(await cli.run(['add', 'Not allowed'], { env })).toMatchObject({
      code: 7,
      errors: expect.stringContaining('PERMISSION_DENIED'),
    });
    const { personalTokens } = await cli.json<{ personalTokens: { id: string }[] }>('token', 'ls');
    expect(await cli.run(['token', 'revoke', personalTokens[0]?.id ?? ''])).toMatchObject({ code: 0 });
    expect(await cli.run(['ls'], { env })).toMatchObject({ code: 16 });
  });

  it('keeps a token as a login', async () => {
    const { output } = await cli.run(['token', 'create', 'kept', '--scope', 'tasks:read,users:read']);
    const env = elsewhere('token');

    expect(await cli.run(['login', '--token', '-'], { env, input: output })).toMatchObject({ code: 0 });
    expect(await cli.run(['doctor'], { env })).toMatchObject({
      output: expect.stringMatching(/token +of ada@example.com/),
    });
    expect(await cli.run(['login', '--token', 'tfp_wrong'], { env })).toMatchObject({ code: 16 });
    expect(await cli.run(['ls'], { env })).toMatchObject({ code: 0 });
  });

  it('shows what is in the inbox, and marks it as read', async () => {
    const id = await cli.addTask('Overdue soon', '--due', '2020-01-01');
    await cli.run(['profile', 'set', 'operator']);
    const asOperator = { TASKFLOW_PROFILE: 'operator', TASKFLOW_PASSWORD: cli.cluster.admin.password };
    await cli.run(['login', cli.cluster.admin.email], { env: asOperator });
    await cli.run(['admin', 'schedules', 'run', 'overdue-sweep'], { env: asOperator });
    const watch = cli.start(['bash', '-c', `until ${taskflow.join(' ')} inbox --json | grep -q ${id}; do :; done`]);

    expect(await watch.ended).toMatchObject({ code: 0 });
    expect(await cli.run(['inbox', '--unread'])).toMatchObject({
      output: expect.stringMatching(/\* .*overdue +Overdue soon/),
    });
    expect(await cli.run(['inbox', 'read', '--all'])).toMatchObject({
      output: expect.stringMatching(/^\d+ marked as read/),
    });
    expect(await cli.run(['admin', 'explain', id], { env: asOperator })).toMatchObject({
      output: expect.stringMatching(/^delivered: /),
    });
  });

  it('refuses administration to others', async () => {
    expect(await cli.run(['admin', 'users'])).toMatchObject({
      code: 7,
      errors: expect.stringContaining('ADMIN_REQUIRED'),
    });
  });

  it('tells by 14 and the address that a service does not answer, and the doctor which one', async () => {
    const tasks = cli.cluster.address('tasks');
    await cli.cluster.kill('tasks', 'SIGKILL');

    expect(await cli.run(['ls'])).toMatchObject({
      code: 14,
      output: '',
      errors: expect.stringContaining(`tasks does not answer at http://${tasks}`),
    });
    const { code, output } = await cli.run(['doctor', '--json']);
    const { findings } = JSON.parse(output) as { findings: { what: string; ok: boolean }[] };
    expect({ code, faults: findings.filter(({ ok }) => !ok).map(({ what }) => what) }).toEqual({
      code: 14,
      faults: ['tasks'],
    });
  });
});
