import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  defaultPorts,
  processNames,
  serviceNames,
  startCluster,
  testPostgresUrl,
  testRedisUrl,
  type Cluster,
} from '../src/index.ts';
import { checkoutRoot } from '../src/instance.ts';
import { settingOf } from '../src/service-names.ts';
import { waitUntil } from '../src/wait-until.ts';
import { pathWithGrpcurl } from './grpcurl-path.ts';

interface TourStep {
  script: string;
  fails: boolean;
  eventually: boolean;
  /** Each line must be in what the commands print, white space aside. */
  answer: string[];
}

const readme = readFileSync(join(checkoutRoot, 'README.md'), 'utf8');
const tour: TourStep[] = [
  ...readme.matchAll(/```sh tour([^\n]*)\n([\s\S]*?)```(?:\s*```json answer\n([\s\S]*?)```)?/g),
].map(([, marks = '', script = '', answer = '']) => ({
  script,
  fails: marks.includes('fails'),
  eventually: marks.includes('eventually'),
  answer: answer.split('\n').filter((line) => line.trim() !== ''),
}));

let cluster: Cluster;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'taskflow-tour-'));
  cluster = await startCluster({
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: testRedisUrl(),
    copyDatabases: true,
    ports: 'free',
    services: processNames,
    env: { TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000' },
  });
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function toThisCluster(script: string): string {
  return processNames.reduce(
    (text, service) => text.replaceAll(`localhost:${defaultPorts[service].calls}`, cluster.address(service)),
    script,
  );
}

/** Runs the commands of one block; the variables of the tour survive from block to block. */
function runBlock(script: string): Promise<{ output: string; failed: boolean }> {
  const state = join(folder, 'token');
  const text = `set -e\nTOKEN=$(cat "${state}" 2>/dev/null || true)\n${toThisCluster(script)}\nprintf %s "$TOKEN" > "${state}"\n`;
  const env = {
    ...process.env,
    PATH: pathWithGrpcurl(folder),
    ...Object.fromEntries(serviceNames.map((service) => [settingOf(service, 'ADDRESS'), cluster.address(service)])),
    // The session of the developer is left alone.
    XDG_CONFIG_HOME: join(folder, 'config'),
    XDG_DATA_HOME: join(folder, 'data'),
    HOME: folder,
    TASKFLOW_KEYRING: 'off',
    // Jest sets it.
    FORCE_COLOR: undefined,
  };
  return new Promise((resolve) => {
    execFile('bash', ['-c', text], { cwd: checkoutRoot, env }, (error, stdout, stderr) =>
      resolve({ output: stdout + stderr, failed: error !== null }),
    );
  });
}

const squeeze = (text: string): string => text.replaceAll(/\s+/g, '');

function missingIn(output: string, answer: readonly string[]): string[] {
  return answer.filter((line) => !squeeze(output).includes(squeeze(line)));
}

it('finds the steps of the tour in the README', () => {
  expect(tour.length).toBeGreaterThanOrEqual(7);
});

it.each(tour.map((step, index) => ({ ...step, name: `${index + 1}: ${step.script.split('\n', 1)[0]}` })))(
  'README step $name',
  async (step) => {
    const ask = () => runBlock(step.script);
    const run = step.eventually
      ? await waitUntil(ask, ({ output }) => missingIn(output, step.answer).length === 0)
      : await ask();
    expect({ failed: run.failed, missing: missingIn(run.output, step.answer), output: run.output }).toEqual({
      failed: step.fails,
      missing: [],
      output: run.output,
    });
  },
);
