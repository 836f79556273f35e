import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { openStub } from '#dev/stubs';
import { findFreePort, processNames } from '../src/index.ts';
import { checkoutRoot } from '../src/instance.ts';
import { portSettingsOf } from '../src/service-names.ts';
import { copyCheckout, refuseToInstall } from './copy-checkout.ts';

let checkout: string;
const env: Record<string, string> = {};

/** A copy of the checkout with the installed dependencies, so that the cluster of the developer is left alone. */
beforeAll(async () => {
  refuseToInstall();
  checkout = copyCheckout();
  symlinkSync(join(checkoutRoot, 'node_modules'), join(checkout, 'node_modules'));
  for (const name of processNames) {
    for (const setting of Object.values(portSettingsOf(name))) env[setting] = String(await findFreePort());
  }
});

afterAll(() => rmSync(checkout, { recursive: true, force: true }));

interface Run {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number | null>;
}

function npmStart(...args: string[]): Run {
  // A group of its own, as a terminal would give it: Ctrl-C reaches all of it.
  const child = spawn('npm', ['start', '--', ...args], {
    cwd: checkout,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => output, ended };
}

async function printed(run: Run, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = (): void => void (run.output().includes(text) && resolve());
    run.child.stdout?.on('data', look);
    void run.ended.then(() => reject(new Error(`npm start ended without saying "${text}":\n${run.output()}`)));
    look();
  });
}

async function pressCtrlC(run: Run): Promise<void> {
  process.kill(-(run.child.pid ?? 0), 'SIGINT');
  await run.ended;
}

/** Processes that belong to the copy: its path is in their command line. */
function processesLeft(): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(checkout));
}

const credentials = { email: 'keeper@example.com', password: 'a long passphrase' };

async function withAuth<T>(use: (client: ReturnType<typeof openAuth>) => Promise<T>): Promise<T> {
  const client = openAuth();
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

function openAuth() {
  return openStub(AuthServiceService, `127.0.0.1:${env['TASKFLOW_AUTH_GRPC_PORT']}`);
}

it('npm start brings the cluster up, demonstrates it, and leaves no process after Ctrl-C', async () => {
  const run = npmStart();
  await printed(run, 'Ctrl-C stops everything');
  expect(run.output()).toContain('notified: "Renew the passport"');
  const [, email = '', password = ''] = /sign in as (\S+), password (\S+),/.exec(run.output()) ?? [];
  expect((await withAuth((auth) => auth.login({ email, password }))).account?.email).toBe(email);
  // What an image runs.
  const bundled = processesLeft().filter((line) => /\.taskflow\/bundles\/\w+\/services\/\w+\/src\/main\.js/.test(line));
  expect(bundled).toHaveLength(processNames.length);
  await withAuth((auth) => auth.register({ ...credentials, displayName: 'Keeper' }));
  await pressCtrlC(run);
  expect(processesLeft()).toEqual([]);
}, 600_000);

it('npm start -- --no-demo finds the data of the earlier start', async () => {
  const run = npmStart('--no-demo');
  await printed(run, 'Ctrl-C stops everything');
  expect(run.output()).not.toContain('notified:');
  const { account } = await withAuth((auth) => auth.login(credentials));
  expect(account?.email).toBe(credentials.email);
  await pressCtrlC(run);
  expect(processesLeft()).toEqual([]);
}, 600_000);

it('npm start after a SIGKILL of everything but the servers comes up again with its data', async () => {
  const killed = npmStart('--no-demo');
  await printed(killed, 'Ctrl-C stops everything');
  process.kill(-(killed.child.pid ?? 0), 'SIGKILL');
  await killed.ended;
  const run = npmStart('--no-demo');
  await printed(run, 'Ctrl-C stops everything');
  const { account } = await withAuth((auth) => auth.login(credentials));
  expect(account?.email).toBe(credentials.email);
  await pressCtrlC(run);
  expect(processesLeft()).toEqual([]);
}, 600_000);

it('npm start -- --tls prints how to call it, and grpcurl is told whom to believe', async () => {
  const run = npmStart('--tls');
  await printed(run, 'Ctrl-C stops everything');
  expect(run.output()).toContain('notified: "Renew the passport"');
  const authority = join(checkout, '.taskflow/start/certificates/ca.crt');
  expect(run.output()).toContain(`grpcurl -cacert ${authority}`);
  await expect(withAuth((auth) => auth.login(credentials))).rejects.toMatchObject({ kind: 'unavailable' });
  const [seed = ''] = /TASKFLOW_TLS=.* npm run seed/.exec(run.output()) ?? [];
  const seeded = execFileSync('bash', ['-c', seed], { cwd: checkout, encoding: 'utf8' });
  expect(seeded).toContain('33 tasks added');
  await pressCtrlC(run);
  expect(processesLeft()).toEqual([]);
}, 600_000);
