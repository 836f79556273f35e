import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startCliCluster, taskflow, type CliCluster } from './start-cli.ts';

let cli: CliCluster;

beforeAll(async () => {
  // One export, which asks each of the four services.
  const limits = {
    'taskflow.export.v1.ExportService/ExportMyData': { requests: 4, perSeconds: 3600 },
    '*': 'unlimited',
  };
  cli = await startCliCluster({ env: { TASKFLOW_RATE_LIMITS: JSON.stringify(limits) } });
  await cli.run(['register', 'ada@example.com']);
});

afterAll(() => cli?.stop());

it('writes a file in place of what stood at its unfinished name, and not through a link', async () => {
  const [mine, file] = [join(cli.folder, 'mine.txt'), join(cli.folder, 'tasks.ics')];
  writeFileSync(mine, 'mine');
  symlinkSync(mine, `${file}.part`);

  expect(await cli.run(['export', 'tasks.ics'])).toMatchObject({ code: 0 });
  expect({ mine: readFileSync(mine, 'utf8'), isLink: lstatSync(file).isSymbolicLink() }).toEqual({
    mine: 'mine',
    isLink: false,
  });
});

it('gives up by 8 when a limit would hold an export for long', async () => {
  expect(await cli.run(['export', 'first.jsonl'])).toMatchObject({ code: 0 });
  expect(await cli.run(['export', 'second.jsonl'])).toMatchObject({
    code: 8,
    errors: expect.stringMatching(/RATE_LIMITED[\s\S]*try again in \d{3,} s/),
  });
  expect(existsSync(join(cli.folder, 'second.jsonl'))).toBe(false);
});

it.each([
  ['a list', ['ls']],
  ['a list as JSON', ['ls', '--json']],
  ['a help', ['--help']],
  ['a completion', ['completion', 'bash']],
  ['an export', ['export', '-', '--format', 'ics']],
])('tells by 74 that %s cannot be written', async (_what, args) => {
  const line = [...taskflow, ...args].map((part) => `'${part}'`).join(' ');
  const { code, errors } = await cli.start(['bash', '-c', `${line} > /dev/full`]).ended;

  expect({ code, errors }).toEqual({ code: 74, errors: expect.stringMatching(/ENOSPC/) });
  expect(errors).not.toMatch(/^ +at /m);
});

it.each([
  ['an order by an unknown key', ['ls', '--order', 'foo'], '"foo" is none of due, priority, created, updated, title'],
  ['an order by a key twice', ['ls', '--order', 'due,-due'], 'each key once'],
  ['a token that lives too long', ['token', 'create', 'x', '--scope', 'admin', '--expires', '999999w'], 'at most 366d'],
  ['an address of another protocol', ['profile', 'set', 'x', '--gateway', 'ftp://x'], 'http: or https:'],
  ['an address without a port', ['profile', 'set', 'x', '--tasks', 'notaport:99999999'], 'host:port'],
  ['an address with an escape', ['profile', 'set', 'x', '--address', 'http://x/\u001b[31m'], '"http://x/[31m"'],
])('refuses %s by 64', async (_what, args, told) => {
  expect(await cli.run(args)).toMatchObject({ code: 64, output: '', errors: expect.stringContaining(told) });
});

it('refuses an address with a password, and does not show it', async () => {
  const { code, errors } = await cli.run(['profile', 'set', 'x', '--address', 'http://ada:geheim@example.com']);

  expect({ code, errors }).toEqual({ code: 64, errors: expect.stringContaining('no password') });
  expect(errors).not.toContain('geheim');
});

it('shows no escapes of a file of profiles', async () => {
  const folder = join(cli.folder, 'written', 'taskflow');
  mkdirSync(folder, { recursive: true });
  const profiles = { evil: { address: 'http://x/\u001b[2J', timeZone: '\u001b[2J' } };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ profiles }));
  const { output } = await cli.run(['profile'], { env: { XDG_CONFIG_HOME: join(cli.folder, 'written') } });

  expect(output).toContain('http://x/[2J');
  expect(output).not.toContain('\u001b');
});

it('names itself in the list of sessions', async () => {
  const { sessions } = await cli.json<{ sessions: { userAgent: string }[] }>('sessions');

  expect(sessions.map(({ userAgent }) => userAgent)).toEqual([expect.stringMatching(/^taskflow\/\d+\.\d+\.\d+/)]);
});
