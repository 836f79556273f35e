import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testPostgresUrl, testRedisUrl } from '#dev/cluster';
import type { Results } from '../src/results.ts';

const program = fileURLToPath(new URL('../bin/bench.ts', import.meta.url));

interface Run {
  code: number;
  output: string;
  results: Results | undefined;
}

describe('npm run bench', () => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'taskflow-bench-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  async function bench(...args: string[]): Promise<Run> {
    const out = join(dir, `${args[0]}.json`);
    const env = {
      ...process.env,
      TASKFLOW_BENCH_POSTGRES_URL: testPostgresUrl(),
      TASKFLOW_BENCH_REDIS_URL: testRedisUrl(),
    };
    const done = await new Promise<{ code: number; output: string }>((resolve) => {
      execFile(
        process.execPath,
        [program, ...args, '--out', out],
        { env, maxBuffer: 10_000_000 },
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
        },
      );
    });
    return { ...done, results: done.code === 64 ? undefined : (JSON.parse(readFileSync(out, 'utf8')) as Results) };
  }

  const isLinux = process.platform === 'linux';

  const scenarios = ({ rows = [] }: Partial<Results> = {}): string[] => [
    ...new Set(rows.map(({ scenario, server, inFlight }) => `${scenario}: ${server} × ${inFlight}`)),
  ];

  it('measures every scenario of tasks, on data that the service takes for its own', async () => {
    const { code, output, results } = await bench(
      'tasks',
      '--sizes',
      '400,800',
      '--calls',
      '2',
      '--rounds',
      '1',
      '--round-ms',
      '1',
    );

    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const found = scenarios(results);
    for (const inFlight of [1, 16, 64]) {
      const compared = ['GetTask', 'ListTasks 20', 'CreateTask'].flatMap((scenario) =>
        ['service', 'Q', 'E'].map((server) => `${scenario}: ${server} × ${inFlight}`),
      );
      expect(found).toEqual(
        expect.arrayContaining([
          ...compared,
          `UpdateTask: service × ${inFlight}`,
          `BatchCreateTasks 100: service × ${inFlight}`,
          `GetTaskStats: GetTask × ${inFlight}`,
        ]),
      );
    }
    expect(found).toEqual(
      expect.arrayContaining([
        'BatchCreateTasks 500: service × 16',
        'overhead: chain × 16',
        'limits, GetTask: counted × 16',
        'traces, GetTask: all recorded × 16',
        'traces, CreateTask: off × 16',
        'growth: list, deep page: service × 1',
        'growth: list, rare word: service × 1',
      ]),
    );
    const { rows, ratios, figures } = results as Results;
    expect(rows.every(({ calls, failures }) => calls > 0 && failures === 0)).toBe(true);
    const wrong = figures.filter(({ mustBeZero }) => mustBeZero);
    // One for each of the five methods whose costs are reported, where the system shows the CPU time of PostgreSQL.
    expect(wrong.map(({ value }) => value)).toEqual(Array.from({ length: isLinux ? 11 : 6 }, () => 0));
    for (const name of [...ratios.map((ratio) => ratio.name), ...rows.map(({ scenario }) => scenario)])
      expect(output).toContain(name);
  }, 1_200_000);

  // Only there the CPU time of other processes can be read.
  if (isLinux)
    it('tells what calls cost each process of a cluster, and what it costs without calls', async () => {
      const sizes = ['--sizes', '400', '--calls', '2', '--rounds', '1', '--round-ms', '1', '--rest', '1'];
      const { code, output, results } = await bench('cluster', ...sizes);

      expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
      const { rows, figures, ratios } = results as Results;
      const calls = 'GetTask/ListTasks 20, status/GetTaskStats/CreateTask/UpdateTask, status/BatchUpdateTasks 50'.split(
        '/',
      );
      expect(scenarios(results)).toEqual(
        [1, 16, 64].flatMap((inFlight) => calls.map((call) => `cluster: ${call} × ${inFlight}`)),
      );
      const processes = ['auth', 'users', 'tasks', 'scheduler', 'PostgreSQL', 'Redis'];
      for (const { partsMsPerCall } of rows) expect(Object.keys(partsMsPerCall)).toEqual(processes);
      expect(rows.every(({ calls: made, failures }) => made > 0 && failures === 0)).toBe(true);
      const services = processes.slice(0, 4);
      expect(figures.map(({ name }) => name)).toEqual([
        ...['the four services', ...processes].map((part) => `idle: ${part}`),
        ...services.flatMap((service) => [`memory of ${service}: fresh`, `memory of ${service}: 1 s after load`]),
      ]);
      expect(ratios.map(({ name }) => name)).toEqual(
        services.map((service) => `memory of ${service}, 1 s after load / fresh`),
      );
    }, 1_200_000);

  it('follows a sweep until every intent is delivered', async () => {
    const { code, output, results } = await bench('sweep', '--sizes', '300');

    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const rates = (results as Results).figures.filter(({ unit }) => unit === 'tasks/s');
    expect(rates.map(({ name }) => name.replace(/^.*: /, ''))).toEqual([
      'its statements alone',
      'marked and recorded',
      'to the last intent in the queue',
      'to the last delivery',
    ]);
    expect(rates.every(({ value }) => value > 0)).toBe(true);
  }, 1_200_000);

  it('explains itself, and ends with 64, when it is not understood', async () => {
    for (const args of [['--nonsense'], ['nothing'], ['tasks', '--sizes', 'many'], ['tasks', 'sweep']]) {
      const { code, output } = await bench(...args);
      expect({ code, explained: output.includes('usage: npm run bench') }).toEqual({ code: 64, explained: true });
    }
  });
});
