import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutRoot } from '../src/instance.ts';

const head = "import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';\n";
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taskflow-runner-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Summary {
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** The kinds of tests, in the order in which they run. */
const kinds = ['flow', 'rpc'];

/** Runs these files in their order in one process. Returns to `title: status`, of a file not loaded its message. */
function run(...files: readonly string[]): string[] {
  for (const [index, source] of files.entries())
    writeFileSync(join(folder, `a.${kinds[index]}.test.ts`), head + source);
  const summaryFile = join(folder, 'summary.json');
  const jest = ['node_modules/jest/bin/jest.js', '-c', '.config/jest.config.js', '--roots', folder];
  spawnSync(process.execPath, [...jest, '--runInBand', '--json', `--outputFile=${summaryFile}`], { cwd: checkoutRoot });
  const { testResults } = JSON.parse(readFileSync(summaryFile, 'utf8')) as Summary;
  return testResults
    .flatMap(({ message, assertionResults }) =>
      assertionResults.length === 0 ? [message] : assertionResults.map(({ title, status }) => `${title}: ${status}`),
    )
    .toSorted();
}

it('reports tests that fail, throw, do not end or leave a rejection, beside one that passes', () => {
  expect(
    run(`
      it('compares', () => expect({ at: [1] }).toEqual({ at: [2] }));
      it('throws', async () => Promise.reject(new TypeError('broken')));
      it('hangs', async () => new Promise(() => undefined), 50);
      it('leaves a rejection', async () => {
        void Promise.reject(new Error('nobody waits'));
        await new Promise(setImmediate);
      });
      it('passes', () => {
        expect({ sum: 1, list: [new Date()] }).toEqual({ sum: expect.any(Number), list: expect.any(Array) });
      });
    `),
  ).toEqual(['compares: failed', 'hangs: failed', 'leaves a rejection: failed', 'passes: passed', 'throws: failed']);
});

it('reports a file that cannot be loaded', () => {
  expect(run("throw new Error('not today');")).toEqual([expect.stringContaining('not today')]);
});

it('gives each file its own hooks, timers, spies and variables, although they share the modules of a process', () => {
  writeFileSync(
    join(folder, 'counted.ts'),
    `${head}
    let seen = 0;
    export const count = () => seen;
    export const countTests = () => { beforeEach(() => { seen += 1; }); afterEach(() => { seen += 10; }); };`,
  );
  const first = `
    import { count, countTests } from './counted.ts';
    countTests();
    it('changes the process', () => {
      expect(count()).toBe(1);
      jest.useFakeTimers();
      jest.spyOn(Math, 'random').mockReturnValue(7);
      process.env['TASKFLOW_OF_THE_FIRST'] = 'set';
      expect(Math.random()).toBe(7);
    });`;
  const second = `
    import { count, countTests } from './counted.ts';
    countTests();
    it('finds the process as it was', async () => {
      expect(count()).toBe(12);
      expect(Math.random()).toBeLessThan(1);
      expect(process.env['TASKFLOW_OF_THE_FIRST']).toBeUndefined();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }, 2_000);`;
  expect(run(first, second)).toEqual(['changes the process: passed', 'finds the process as it was: passed']);
});
