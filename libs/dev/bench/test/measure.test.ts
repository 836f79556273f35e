import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testPostgresUrl, testRedisUrl } from '#dev/cluster';
import { startServerProcess, type BenchContext, type Contender, type ServerProcess } from '#dev/bench';
import { measure } from '../src/measure.ts';
import { readBenchOptions } from '../src/options.ts';
import type { Results } from '../src/results.ts';
import { runBench } from '../src/run-bench.ts';

const path = '/bench.Test/Echo';
const message = (text: string): Uint8Array => Buffer.from(text);

describe('a bench', () => {
  let server: ServerProcess;
  let dir: string;

  beforeAll(async () => {
    server = await startServerProcess(fileURLToPath(new URL('faulty-server.ts', import.meta.url)), {});
    dir = mkdtempSync(join(tmpdir(), 'taskflow-bench-'));
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function runSuite(
    run: (context: BenchContext) => Promise<void>,
    args: string[],
    print: (text: string) => void = () => undefined,
  ): Promise<number> {
    return runBench({
      options: readBenchOptions(args, dir),
      suite: { run },
      defaultOutFile: join(dir, 'default.json'),
      report: () => undefined,
      print,
      signal: new AbortController().signal,
      postgresUrl: testPostgresUrl(),
      redisUrl: testRedisUrl(),
    });
  }

  /** Runs a suite whose calls are these texts. */
  async function bench(
    texts: string[],
    { args = [], mayRefuse = false }: { args?: string[]; mayRefuse?: boolean } = {},
  ): Promise<{ code: number; printed: string; written: Results }> {
    const out = join(dir, 'results.json');
    let printed = '';
    const contender = (name: string): Contender => ({ name, server, dataset: 'none' });
    const run = async ({ generators, options, results }: BenchContext): Promise<void> => {
      const requests = () => texts.map((text) => ({ message: message(text), headers: {} }));
      const entrants = ['judged', 'ceiling'].map((name) => ({ ...contender(name), path, requests, aim: 100 }));
      await measure(
        { scenario: 'Echo', inFlight: [1, 4], entrants, once: true, mayRefuse },
        options.pace,
        generators,
        results,
      );
    };
    const allArgs = ['--rounds', '2', '--round-ms', '60000', '--generators', '2', '--out', out, ...args];
    const code = await runSuite(run, allArgs, (text) => (printed += text));
    return { code, printed, written: JSON.parse(readFileSync(out, 'utf8')) as Results };
  }

  it('counts each call once, and ends with 0 when all succeeded', async () => {
    const { code, written } = await bench(Array.from({ length: 20 }, () => 'fine'));

    const counted = written.rows.map(({ server: name, inFlight, calls, failures }) => ({
      name,
      inFlight,
      calls,
      failures,
    }));
    expect(counted).toEqual([
      { name: 'judged', inFlight: 1, calls: 40, failures: 0 },
      { name: 'ceiling', inFlight: 1, calls: 40, failures: 0 },
      { name: 'judged', inFlight: 4, calls: 40, failures: 0 },
      { name: 'ceiling', inFlight: 4, calls: 40, failures: 0 },
    ]);
    expect(code).toBe(0);
  });

  it('counts calls that the server fails as failures, says why, and ends with 1', async () => {
    const { code, written, printed } = await bench(['fine', 'fail', 'fine', 'fine']);

    expect(written.rows.map(({ calls, failures, statuses }) => ({ calls, failures, statuses }))).toEqual(
      Array.from({ length: 4 }, () => ({ calls: 8, failures: 2, statuses: { 13: 2 } })),
    );
    expect(printed).toContain('Echo on judged: status 13: asked to fail');
    expect(code).toBe(1);
  });

  it('takes only "busy" for an answer where the server may refuse', async () => {
    const { code, written } = await bench(['fail', 'fine'], { mayRefuse: true });

    expect(written.rows.map(({ failures, refused }) => ({ failures, refused }))).toEqual(
      Array.from({ length: 4 }, () => ({ failures: 2, refused: 0 })),
    );
    expect(code).toBe(1);
  });

  it('ends with 2 when a ratio is more than 20 % worse than in the baseline, and names it', async () => {
    const { written } = await bench(['fine']);
    const baseline = join(dir, 'baseline.json');
    writeFileSync(baseline, JSON.stringify({ ratios: written.ratios.map((ratio) => ({ ...ratio, value: 0 })) }));

    const { code } = await bench(['fine'], { args: ['--baseline', baseline] });

    expect(code).toBe(2);
  });

  it('prints a line for every row and every ratio', async () => {
    const { printed, written } = await bench(['fine']);

    const lines = printed.split('\n');
    expect(lines.filter((line) => /^Echo +(judged|ceiling) /.test(line))).toHaveLength(written.rows.length);
    expect(lines.filter((line) => line.startsWith('Echo / ceiling'))).toHaveLength(written.ratios.length);
    expect(written.ratios.map(({ name, inFlight, aim }) => ({ name, inFlight, aim }))).toEqual([
      { name: 'Echo / ceiling', inFlight: 1, aim: 100 },
      { name: 'Echo / ceiling', inFlight: 4, aim: 100 },
    ]);
  });

  it('counts what calls leave behind to them, for each process that it is told of', async () => {
    let spentMs = 0;
    const busy = {
      addresses: server.addresses,
      cpuMs: async () => 10 * spentMs,
      partsMs: async () => ({ PostgreSQL: spentMs }),
      drained: async () => void (spentMs += 10),
    };
    const requests = () => Array.from({ length: 5 }, () => ({ message: message('fine'), headers: {} }));
    let printed = '';
    const out = join(dir, 'busy.json');
    const entrants = [{ name: 'busy', dataset: 'none', server: busy, path, requests, once: true }];
    const run = async ({ generators, options, results }: BenchContext): Promise<void> =>
      void (await measure({ scenario: 'Echo', inFlight: [1], entrants }, options.pace, generators, results));

    await runSuite(run, ['--rounds', '3', '--round-ms', '60000', '--out', out], (text) => (printed += text));

    const { rows } = JSON.parse(readFileSync(out, 'utf8')) as Results;
    expect(rows.map(({ calls, cpuMsPerCall, partsMsPerCall }) => ({ calls, cpuMsPerCall, partsMsPerCall }))).toEqual([
      { calls: 15, cpuMsPerCall: 20, partsMsPerCall: { PostgreSQL: 2 } },
    ]);
    expect(printed).toMatch(/CPU ms\/call +PostgreSQL +bytes/);
  });

  it('gives each aim its verdict', async () => {
    let printed = '';
    const run = async ({ results }: BenchContext): Promise<void> =>
      void results.figures.push(
        { name: 'slow enough', value: 1, unit: 'cores', aim: { atMost: 1 } },
        { name: 'too slow', value: 7999, unit: 'tasks/s', aim: { atLeast: 8000 } },
      );

    expect(await runSuite(run, [], (text) => (printed += text))).toBe(0);

    expect(printed).toMatch(/slow enough .* ≤ 1 +met/);
    expect(printed).toMatch(/too slow .* ≥ 8000 +missed/);
  });

  it('fails calls of a server that is gone instead of waiting for it', async () => {
    const other = await startServerProcess(fileURLToPath(new URL('faulty-server.ts', import.meta.url)), {});
    await other.stop();
    const gone = { addresses: other.addresses, cpuMs: async () => 0 };
    const requests = () => [{ message: message('fine'), headers: {} }];
    const entrants = [{ name: 'gone', dataset: 'none', server: gone, path, requests }];

    const run = async ({ generators, options, results }: BenchContext): Promise<void> =>
      void (await measure({ scenario: 'Echo', inFlight: [1], entrants }, options.pace, generators, results));

    await expect(runSuite(run, ['--rounds', '1', '--round-ms', '10'])).rejects.toThrow('ECONNREFUSED');
  });
});
