// npm test [-- --changed [REF] | -- jest arguments]: without arguments every check and every test, with --changed those that
// what has changed may break, else only jest with these arguments.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startConsoleReport } from '../src/console-report.ts';
import { startInfrastructure, type Infrastructure } from '../src/infrastructure.ts';
import { stateHome } from '../src/instance.ts';
import { listenForShutdown } from '../src/shutdown-signal.ts';
import { forgetLintResults, planTestRun, runCheck, runJest, type Check, type Tally } from '../src/test-run.ts';

const report = startConsoleReport();
const { signal } = listenForShutdown();
const plan = planTestRun(process.argv.slice(2));
if (plan.lintAll) forgetLintResults();
// Each message names its file, so the order of the output does not matter.
const tallies = await Promise.all([runTests(), ...plan.checks.map(runOneCheck)]);

const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0);
if (signal.aborted) report.line(`stopped by ${String(signal.reason)}`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && !signal.aborted ? 0 : 1;
// The channel to boot.mjs would keep this process alive.
process.disconnect?.();

async function runOneCheck(check: Check): Promise<Tally> {
  const tally = await report.step(check.title, async () => runCheck(check, signal));
  if (tally.failed > 0) report.line(`${check.title}: FAILED`);
  return tally;
}

async function runTests(): Promise<Tally> {
  if (signal.aborted) return { passed: 0, failed: 1 };
  let infrastructure: Infrastructure | undefined;
  try {
    const started = await report.step('test servers', startTestInfrastructure);
    infrastructure = started;
    const env = {
      TASKFLOW_TEST_POSTGRES_URL: started.postgresAdminUrl,
      TASKFLOW_TEST_REDIS_URL: started.redisUrl,
      TASKFLOW_TEST_DIR: started.dir,
    };
    const tally = await report.step('tests', async () =>
      runJest({ ...plan.jest, env, summaryFile: join(started.dir, 'jest.json'), signal }),
    );
    if (tally.failed > 0) keepLogs(started.dir);
    return tally;
  } catch (error) {
    report.line((error as Error).message);
    return { passed: 0, failed: 1 };
  } finally {
    await infrastructure?.stop();
  }
}

/** Keeps the logs of the test clusters, and deletes those of an earlier run. */
function keepLogs(dir: string): void {
  const logs = join(dir, 'logs');
  const kept = join(stateHome, 'failed-test-logs');
  rmSync(kept, { recursive: true, force: true });
  if (!existsSync(logs)) return;
  cpSync(logs, kept, { recursive: true });
  report.line(`logs of the services under test: ${kept}`);
}

async function startTestInfrastructure(): Promise<Infrastructure> {
  return startInfrastructure({
    postgresUrl: process.env['TASKFLOW_TEST_POSTGRES_URL'],
    redisUrl: process.env['TASKFLOW_TEST_REDIS_URL'],
    report: report.line,
  });
}
