// npm run crash-test [-- --rounds N --seed N | --mutants]: kills services at named points and looks whether everything is there
// that the calls explain, and nothing else.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { readCount, runCommand, startInfrastructure } from '#dev/cluster';
import { runCrashTest } from './crash-test.ts';
import { runMutants, type MutationRunOptions } from './mutation-run.ts';
import { toTable } from './table.ts';

async function countMissed(options: MutationRunOptions): Promise<number> {
  const { falseAlarms, found } = await runMutants(options);
  const missed = found.filter(({ fault }) => fault === undefined).length;
  for (const { kind, what } of falseAlarms) options.report(`${kind}: ${what}`);
  options.report(
    `\n${found.length} safeguards switched off, ${missed} not noticed, ${falseAlarms.length} false alarms`,
  );
  return missed + falseAlarms.length === 0 ? 0 : 1;
}

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(randomInt(1, 2 ** 31)) },
      mutants: { type: 'boolean', default: false },
    },
  });
  const rounds = readCount('rounds', values.rounds, { most: 10_000 });
  const seed = readCount('seed', values.seed, { most: 2 ** 32 - 1 });
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`seed ${seed}`);
  const infrastructure = await startInfrastructure({ durable: true, report: say });
  const stop = (): void => void infrastructure.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  try {
    if (values.mutants) return await countMissed({ infrastructure, seed, report: say });
    const report = await runCrashTest({
      infrastructure,
      rounds,
      seed,
      crashPostgres: () => infrastructure.restartPostgres('immediate'),
      report: say,
    });
    say(`\n${toTable(report)}`);
    return report.faults.length === 0 ? 0 : 1;
  } finally {
    await infrastructure.stop();
  }
}

await runCommand('crash-test', run);
