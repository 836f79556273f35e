import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { policies, policyOf, serviceNames, type MethodPolicy } from '#libs/contract';
import { defaultPorts } from '#dev/cluster';
import { pathWithGrpcurl } from '../cluster/test/grpcurl-path.ts';
import { accessTable, registerPeople, type People } from './access-table.ts';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { serviceOf } from './wire.ts';

const reference = new URL('../../../proto/docs/', import.meta.url);
const pages = readdirSync(reference).filter((name) => name.endsWith('.md'));
const lines = pages
  .flatMap((page) => readFileSync(new URL(page, reference), 'utf8').split('\n'))
  .filter((line) => line.startsWith('grpcurl '));
const pathOf = (line: string): string => `/${line.split(' ').at(-1)}`;

let testCluster: TestCluster;
let people: People;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'taskflow-reference-'));
  testCluster = await startTestCluster();
  people = await registerPeople(testCluster);
});
afterAll(async () => {
  await testCluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a reader would put where no id or secret is asked for. */
const words: Readonly<Record<string, string>> = {
  display_name: 'Ada',
  title: 'Water the plants',
  description: 'All of them',
  query: 'a',
  queue: 'notifications',
  name: 'deliver-notifications',
  reason: 'maintenance',
  key: 'WEB',
  start_time: new Date().toISOString(),
};

const toSnakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The texts and numbers of a request by the names of their fields, wherever they stand in it. */
function valuesOf(request: unknown, name = ''): [string, string][] {
  if (typeof request === 'string' || typeof request === 'bigint')
    return request === '' ? [] : [[name, String(request)]];
  if (Buffer.isBuffer(request)) return [[name, request.toString('base64')]];
  if (Array.isArray(request)) return valuesOf(request[0], name);
  return typeof request === 'object' && request !== null ? valuesIn(request) : [];
}

/** A choice is a field named by the case. */
function valuesIn(message: object): [string, string][] {
  const fields = '$case' in message && 'value' in message ? [[message.$case, message.value]] : Object.entries(message);
  return fields.flatMap(([key, value]) => valuesOf(value, toSnakeCase(String(key))));
}

/** Puts a real value for each placeholder; one that nobody knows stays, and is found below. */
async function fill(line: string, path: string, caller: Person): Promise<string> {
  const request = await accessTable.get(path)?.request({ testCluster, people, caller });
  const values: Readonly<Record<string, string>> = { ...words, ...Object.fromEntries(valuesOf(request)) };
  return line.replaceAll(/<([a-z_]+)>/g, (placeholder, name: string) => values[name] ?? placeholder);
}

function toThisCluster(line: string): string {
  return serviceNames.reduce(
    (text, service) =>
      text.replace(`localhost:${defaultPorts[service].calls} `, `${testCluster.cluster.address(service)} `),
    line,
  );
}

async function tokens({ access, callers: [caller = 'auth'], path }: MethodPolicy): Promise<Record<string, string>> {
  const service = access === 'service' ? await testCluster.serviceToken(caller, serviceOf(path)) : '';
  return { TOKEN: people.owner.token, ADMIN_TOKEN: people.admin.token, SERVICE_TOKEN: service };
}

/** Runs a line in a shell, as a reader would; of a stream, until its first message. */
function run(
  line: string,
  env: Record<string, string>,
  isStream: boolean,
): Promise<{ output: string; errors: string; failed: boolean }> {
  const child = spawn('bash', ['-c', line], {
    env: { ...process.env, ...env, PATH: pathWithGrpcurl(folder) },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors, seen] = ['', '', false];
  child.stderr.on('data', (data: Buffer) => void (errors += data.toString()));
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    if (!isStream || seen || child.pid === undefined) return;
    seen = true;
    process.kill(-child.pid, 'SIGKILL');
  });
  return new Promise((resolve) =>
    child.on('close', (code) => resolve({ output, errors, failed: code !== 0 && !seen })),
  );
}

describe('J3: the grpcurl lines of the API reference', () => {
  it('are one for each method', () => {
    expect(lines.map(pathOf).toSorted()).toEqual([...policies.keys()].toSorted());
  });

  it.each(lines.map((line) => [pathOf(line), line] as const))('%s', async (path, line) => {
    const policy = policyOf(path);
    const caller = policy.access === 'admin' ? people.admin : people.owner;
    const filled = toThisCluster(await fill(line, path, caller));
    expect(filled).not.toMatch(/<[a-z_]+>|localhost/);
    const isStream = /\/Watch[A-Za-z]*$/.test(path);
    const { output, errors, failed } = await run(filled, await tokens(policy), isStream);
    const [, reason] = (accessTable.get(path)?.answers?.owner ?? 'OK').split('/');
    if (reason !== undefined) return expect(errors).toContain(reason);
    expect({ line: filled, errors, failed }).toEqual({ line: filled, errors: '', failed: false });
    expect(output).toContain('{');
  });
});
