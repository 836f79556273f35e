import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { delimiter, join } from 'node:path';
import { checkoutRoot } from './instance.ts';

/** How many tests passed and failed; a check that is not a jest test counts as one. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

export interface Check {
  readonly title: string;
  readonly commands: readonly (readonly string[])[];
}

const modules = join(checkoutRoot, 'node_modules');
/** Checks take the time that the tests leave: theirs is spent waiting to a good part, and must not run out because of a check. */
const checkNiceness = 10;
const jestFlags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];

/** What `npm test` runs beside jest, all at the same time. Each command is the arguments of the pinned Node. */
export const checks: readonly Check[] = [
  { title: 'contract: lint, breaking changes, drift', commands: [['libs/contract/bin/check.ts']] },
  {
    title: 'type check',
    // All of it as one program: the folders share most of their files.
    commands: [[join(modules, 'typescript/bin/tsc'), '-p', '.config']],
  },
  { title: 'lint', commands: [[join(modules, 'eslint/bin/eslint.js'), '-c', '.config/eslint.config.js', '--max-warnings', '0', 'libs', 'services', 'deploy']] },
];

/** Runs every command of the check, also after one has failed, and counts as one test. */
export async function runCheck(check: Check, signal: AbortSignal): Promise<Tally> {
  let failed = false;
  for (const command of check.commands) failed = (await runNode(command, { signal, niceness: checkNiceness })) !== 0 || failed;
  return failed ? { passed: 0, failed: 1 } : { passed: 1, failed: 0 };
}

export interface JestRun {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Where jest writes its JSON summary. */
  readonly summaryFile: string;
  readonly signal: AbortSignal;
}

/** A run that executed no test, or that broke off, counts as one failure. */
export async function runJest({ args, env, summaryFile, signal }: JestRun): Promise<Tally> {
  const jest = [...jestFlags, join(modules, 'jest/bin/jest.js'), '-c', '.config/jest.config.js'];
  const exitCode = await runNode([...jest, '--json', `--outputFile=${summaryFile}`, ...args], { signal, env });
  return tallyOf(readSummary(summaryFile), exitCode);
}

/** The part of jest's JSON summary that counts. */
export interface JestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

/** A suite that could not be loaded has no failed test of its own, yet it must be seen. */
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
  /** How far others go before it, for its own children too; 0 to 19. */
  readonly niceness?: number;
}

async function runNode(args: readonly string[], { signal, env = {}, niceness = 0 }: RunOptions): Promise<number> {
  if (signal.aborted) return 1;
  const path = [join(modules, '.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const child = spawn(process.execPath, args, {
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
