import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { delimiter, join } from 'node:path';
import { checkoutRoot } from './instance.ts';

/** How many tests passed and failed; a check that is not a jest test counts as one. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** A script of package.json that needs neither PostgreSQL nor Redis. */
export interface Check {
  readonly title: string;
  readonly script: string;
}

const modules = join(checkoutRoot, 'node_modules');
/** The linter's results of unchanged files. They may be wrong when an imported type has changed. */
const lintCache = join(modules, '.cache/eslint.json');
/** Checks run at a lower priority: a test must not reach its time limit because of a check. */
const checkNiceness = 10;

/** The checks that `npm test -- --changed` runs beside jest. Each caches its results of unchanged files. */
export const quickChecks: readonly Check[] = [
  { title: 'type check', script: 'typecheck' },
  { title: 'lint', script: 'lint' },
  { title: 'format', script: 'format:check' },
  { title: 'long lines', script: 'lines:check' },
];

/** The checks that `npm test` runs beside jest, all at the same time. */
export const checks: readonly Check[] = [
  { title: 'contract: lint, breaking changes, drift', script: 'proto:check' },
  ...quickChecks,
];

export interface TestPlan {
  readonly checks: readonly Check[];
  /** Also files that have not changed. */
  readonly lintAll: boolean;
  readonly jest: Pick<JestRun, 'args' | 'mayBeEmpty'>;
}

/** Reads the arguments of `npm test`. `--changed REF` compares with REF, `--changed` with the last commit. */
export function planTestRun(args: readonly string[]): TestPlan {
  const [first, since, ...rest] = args;
  if (first !== '--changed')
    return { checks: args.length === 0 ? checks : [], lintAll: args.length === 0, jest: { args, mayBeEmpty: false } };
  const named = since !== undefined && !since.startsWith('-');
  const jestArgs = named ? [`--changedSince=${since}`, ...rest] : ['--onlyChanged', ...args.slice(1)];
  return { checks: quickChecks, lintAll: false, jest: { args: [...jestArgs, '--passWithNoTests'], mayBeEmpty: true } };
}

/** Has every file linted again: a change of one file's types may break a rule in another that has not changed. */
export function forgetLintResults(): void {
  rmSync(lintCache, { force: true });
}

/** Counts as one test. */
export async function runCheck({ script }: Check, signal: AbortSignal): Promise<Tally> {
  const { scripts } = JSON.parse(readFileSync(join(checkoutRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const exitCode = await run('sh', ['-c', `exec ${scripts[script]}`], { signal, niceness: checkNiceness });
  return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

export interface JestRun {
  readonly args: readonly string[];
  /** Finding no test is no failure. */
  readonly mayBeEmpty: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Where jest writes its JSON summary. */
  readonly summaryFile: string;
  readonly signal: AbortSignal;
}

/** A run that broke off, or that ran no test although `mayBeEmpty` is false, counts as one failure. */
export async function runJest({ args, mayBeEmpty, env, summaryFile, signal }: JestRun): Promise<Tally> {
  const jest = [join(modules, 'jest/bin/jest.js'), '-c', '.config/jest.config.js'];
  const allArgs = [...jest, '--json', `--outputFile=${summaryFile}`, ...args];
  const exitCode = await run(process.execPath, allArgs, { signal, env });
  const summary = readSummary(summaryFile);
  return mayBeEmpty && exitCode === 0 && summary?.numPassedTests === 0
    ? { passed: 0, failed: 0 }
    : tallyOf(summary, exitCode);
}

/** The part of jest's JSON summary that counts. */
export interface JestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

/** A suite that could not be loaded has no failed test, so it counts as one. */
export function tallyOf(summary: JestSummary | undefined, exitCode: number): Tally {
  if (summary === undefined) return { passed: 0, failed: 1 };
  const passed = summary.numPassedTests;
  const failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites;
  const unexplained = failed === 0 && (exitCode !== 0 || passed === 0);
  return { passed, failed: unexplained ? 1 : failed };
}

function readSummary(path: string): JestSummary | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JestSummary;
  } catch {
    return undefined;
  }
}

interface RunOptions {
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  /** The niceness of the process and its children, 0 to 19. */
  readonly niceness?: number;
}

async function run(
  program: string,
  args: readonly string[],
  { signal, env = {}, niceness = 0 }: RunOptions,
): Promise<number> {
  if (signal.aborted) return 1;
  const path = [join(modules, '.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const child = spawn(program, args, {
    cwd: checkoutRoot,
    env: { ...process.env, PATH: path, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (child.pid !== undefined && niceness > 0) setPriority(child.pid, niceness);
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  return new Promise((resolve) => {
    const end = (code: number): void => {
      signal.removeEventListener('abort', stop);
      resolve(code);
    };
    child.once('error', () => end(1));
    child.once('exit', (code) => end(code ?? 1));
  });
}
