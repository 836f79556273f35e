import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { checkoutRoot } from './instance.ts';
import { copyCheckout, refuseToInstall } from '../test/copy-checkout.ts';
import { findFreePort } from './ports.ts';
import { serviceNames, settingOf } from './service-names.ts';

interface Ended {
  code: number;
  output: string;
}

function run(
  args: readonly string[],
  { cwd = checkoutRoot, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, env: { ...process.env, NODE_OPTIONS: '', ...env } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
      },
    );
  });
}

const { scripts } = JSON.parse(readFileSync(join(checkoutRoot, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const boot = 'libs/dev/cluster/bin/boot.mjs';
const commands = Object.entries(scripts).flatMap(([name, line]) =>
  line.startsWith(`node ${boot} `) ? [{ name, target: line.split(' ').slice(2) }] : [],
);

describe('every script of package.json', () => {
  let copy: string;

  beforeAll(() => {
    refuseToInstall();
    copy = copyCheckout();
  });

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it.each(commands)('tells what it takes, and does nothing else, not even install: $name', async ({ name, target }) => {
    const { code, output } = await run([boot, ...target, '--help'], { cwd: copy });

    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(new RegExp(`^usage: npm (run )?${name}\\b`)),
    });
    expect(['node_modules', '.taskflow'].filter((folder) => existsSync(join(copy, folder)))).toEqual([]);
  });

  /** These say in other words, or with another status, what they take. `npm test` hands what it does not know to jest. */
  const others = ['start', 'bench', 'taskflow'];
  it.each(commands.filter(({ name }) => others.includes(name)))(
    'refuses an option that it does not know: $name',
    async ({ target }) => {
      const { code, output } = await run([boot, ...target, '--no-such-option']);

      expect({ failed: code !== 0, output }).toEqual({
        failed: true,
        output: expect.stringContaining('--no-such-option'),
      });
    },
  );

  const uniform = commands.filter(({ name }) => ![...others, 'test'].includes(name));
  const wrong = [
    ...uniform.map(({ name }) => ({ name, args: ['--no-such-option'], fault: "Unknown option '--no-such-option'" })),
    ...['proto:check', 'migrations:check', 'migrations:release'].map((name) => ({
      name,
      args: ['extra'],
      fault: "Unexpected argument 'extra'. This command does not take positional arguments",
    })),
    ...['proto:generate', 'manifests'].flatMap((name) => [
      { name, args: ['package.json'], fault: 'package.json is not a folder' },
      { name, args: ['no/such/folder'], fault: 'no/such/folder is not a folder' },
      { name, args: ['libs', 'deploy'], fault: 'only one folder at a time' },
    ]),
    { name: 'manifests', args: ['.github'], fault: '.github has no kubernetes, scaling.md, observability/alerts.yml' },
    { name: 'secrets', args: ['package.json'], fault: 'package.json is not a folder' },
    { name: 'certificates', args: ['package.json'], fault: 'package.json is not a folder' },
    { name: 'certificates', args: ['new', '--name', '*'], fault: '--name *: must be a host name or an address' },
  ];
  it.each(wrong)(
    'says in one line what is wrong, where to look, and exits with 64: $name $args',
    async ({ name, args, fault }) => {
      expect(await run([boot, name, ...args])).toEqual({
        code: 64,
        output: `${name}: ${fault}\n"npm run ${name} -- --help" tells what it takes\n`,
      });
    },
  );
});

describe('a script that needs a running cluster', () => {
  const commands: readonly (readonly [string, ...string[]])[] = [
    ['import', 'services/tasks/import/sample.todo.txt'],
    ['export', '-', '--format', 'ics'],
    ['seed'],
  ];
  let silent: Server;
  const ports: number[] = [];

  beforeAll(async () => {
    // It takes connections and never answers.
    silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    ports.push(await findFreePort(), (silent.address() as AddressInfo).port);
  });
  afterAll(() => void silent.close());

  async function runAt(port: number, command: readonly string[]): Promise<Ended> {
    const addresses = Object.fromEntries(
      serviceNames.map((service) => [settingOf(service, 'ADDRESS'), `127.0.0.1:${port}`]),
    );
    return run([boot, ...command], {
      env: { ...addresses, TASKFLOW_EMAIL: 'ada@example.com', TASKFLOW_PASSWORD: 'a long passphrase' },
    });
  }

  it('says where nothing answers, and what to do', async () => {
    const cases = ports.flatMap((port) => commands.map((command) => ({ port, command })));

    const ended = await Promise.all(cases.map(async ({ port, command }) => runAt(port, command)));

    const advice = 'Start a cluster with "npm start", or say where yours is with TASKFLOW_AUTH_ADDRESS';
    expect(ended).toEqual(
      cases.map(({ port, command: [name] }) => ({
        code: 1,
        output: expect.stringMatching(
          new RegExp(`^${name}: nothing answers at 127\\.0\\.0\\.1:${port} \\(auth\\); .*\\. ${advice}`),
        ),
      })),
    );
  });
});
