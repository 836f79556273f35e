import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  serviceNames,
  startCluster,
  testPostgresUrl,
  testRedisUrl,
  type Cluster,
  type ClusterOptions,
} from '#dev/cluster';

export interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

export interface RunOptions {
  /** What is typed, or piped in. */
  input?: string;
  env?: Record<string, string>;
}

export interface Running {
  child: ChildProcess;
  /** Resolves when the output has matched. */
  saw(text: RegExp): Promise<void>;
  ended: Promise<Ended>;
}

/** A cluster, and the command line of somebody whose folders are empty. */
export interface CliCluster {
  cluster: Cluster;
  /** Where commands run. */
  folder: string;
  env: NodeJS.ProcessEnv;
  start(command: readonly string[], options?: RunOptions): Running;
  /** Runs taskflow to its end. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** The JSON that taskflow answers. Throws when it fails. */
  json<T>(...args: string[]): Promise<T>;
  /** The id of a new task. */
  addTask(title: string, ...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const password = 'a long passphrase';
export const newEmail = (): string => `${randomBytes(8).toString('hex')}@example.com`;
export const taskflow = [process.execPath, fileURLToPath(new URL('../main.ts', import.meta.url))];

function follow(child: ChildProcess): Running {
  let output = '';
  let errors = '';
  const looks = new Set<() => void>();
  const listen = (stream: NodeJS.ReadableStream | null, keep: (text: string) => void): void =>
    void stream?.on('data', (chunk: Buffer) => {
      keep(chunk.toString());
      for (const look of looks) look();
    });
  listen(child.stdout, (text) => (output += text));
  listen(child.stderr, (text) => (errors += text));
  return {
    child,
    saw: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.test(output + errors)) resolve();
        };
        looks.add(look);
        child.once('close', () => reject(new Error(`ended without ${text}: ${output}${errors}`)));
        look();
      }),
    ended: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output, errors }));
    }),
  };
}

const addressesOf = (cluster: Cluster): Record<string, string> =>
  Object.fromEntries(
    serviceNames.map((service) => [`TASKFLOW_${service.toUpperCase()}_ADDRESS`, cluster.address(service)]),
  );

export async function startCliCluster(options: Partial<ClusterOptions> = {}): Promise<CliCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'taskflow-cli-'));
  symlinkSync(join(root, 'services'), join(folder, 'services'));
  const cluster = await startCluster({
    postgresAdminUrl: testPostgresUrl(),
    redisUrl: testRedisUrl(),
    copyDatabases: true,
    ports: 'free',
    ...options,
  });
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...addressesOf(cluster),
    NODE_OPTIONS: '',
    FORCE_COLOR: undefined,
    NO_COLOR: '1',
    TASKFLOW_TOKEN: '',
    // Later runs reuse what the first has compiled.
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    XDG_DATA_HOME: join(folder, 'data'),
    TASKFLOW_KEYRING: 'off',
    TASKFLOW_PASSWORD: password,
    TZ: 'Europe/Berlin',
  };
  const start: CliCluster['start'] = ([program = '', ...args], { input, env: more } = {}) => {
    const child = spawn(program, args, { cwd: folder, env: { ...env, ...more }, stdio: 'pipe' });
    // A program that reads nothing may have ended.
    child.stdin.on('error', () => undefined);
    if (input !== undefined) child.stdin.end(input);
    return follow(child);
  };
  const run: CliCluster['run'] = (args, runOptions) =>
    start([...taskflow, ...args], { input: '', ...runOptions }).ended;
  const json: CliCluster['json'] = async <T>(...args: string[]) => {
    const { code, output, errors } = await run([...args, '--json']);
    if (code !== 0) throw new Error(`taskflow ${args.join(' ')}: ${errors}`);
    return JSON.parse(output) as T;
  };
  return {
    cluster,
    folder,
    env,
    start,
    run,
    json,
    addTask: async (title, ...args) => (await json<{ task: { id: string } }>('add', title, ...args)).task.id,
    stop: async () => {
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
