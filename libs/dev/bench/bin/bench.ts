// npm run bench [-- SUITE] [options]: what the services cost, beside what they could cost at best.
import { join } from 'node:path';
import { stateHome } from '../../cluster/src/instance.ts';
import { startConsoleReport } from '../../cluster/src/console-report.ts';
import { listenForShutdown } from '../../cluster/src/shutdown-signal.ts';
import { usageOf } from '../../cluster/boot/usage.mjs';
import { UsageError } from '../../../runtime/command-line/command-line.mjs';
import { readBenchOptions } from '../src/options.ts';
import { exitCodes, runBench } from '../src/run-bench.ts';

const report = startConsoleReport();
const { signal } = listenForShutdown();

async function main(): Promise<number> {
  const options = readBenchOptions(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd());
  return runBench({
    options,
    defaultOutFile: join(stateHome, 'bench', `${options.suite}.json`),
    report: report.line,
    print: (text) => process.stdout.write(text),
    signal,
    postgresUrl: process.env['TASKFLOW_BENCH_POSTGRES_URL'],
    redisUrl: process.env['TASKFLOW_BENCH_REDIS_URL'],
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof UsageError;
  const text = error instanceof Error ? error.stack : `stopped: ${String(error)}`;
  process.stderr.write(isUsage ? `bench: ${error.message}\n${usageOf(import.meta.url)}\n` : `bench: ${text}\n`);
  process.exitCode = isUsage ? exitCodes.usage : exitCodes.failed;
}
// The channel to boot.mjs would keep this process alive.
process.exit();
