// npm run crash-test [-- --rounds N --seed N]: kills services at named points and looks whether anything was lost or doubled.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startInfrastructure } from '#libs/devcluster';
import { runCrashTest } from './crash-test.ts';
import { toTable } from './table.ts';

const usage = `usage: npm run crash-test -- [--rounds N] [--seed N]
  --rounds  crashes, 1 to 10000; 100 when left out
  --seed    a whole number: the same crashes in the same order again
Exit status: 0 nothing was lost and nothing happened twice; 1 otherwise.`;

function readNumber(text: string | undefined, fallback: number, max: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) throw new Error(usage);
  return value;
}

async function run(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
  const rounds = readNumber(values.rounds, 100, 10_000);
  const seed = readNumber(values.seed, randomInt(1, 2 ** 31), 2 ** 32 - 1);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`seed ${seed}`);
  const infrastructure = await startInfrastructure({ durable: true, report: say });
  const stop = (): void => void infrastructure.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  try {
    const report = await runCrashTest({ infrastructure, rounds, seed, crashPostgres: () => infrastructure.restartPostgres('immediate'), report: say });
    say(`\n${toTable(report)}`);
    return report.lost === 0 && report.duplicated === 0 ? 0 : 1;
  } finally {
    await infrastructure.stop();
  }
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`crash-test: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
process.disconnect?.();
