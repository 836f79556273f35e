// npm run drill [-- options]: causes faults in a cluster of its own while clients work, then compares what they were answered
// with what is there. Exit code 1 when any invariant was violated.
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '#dev/cluster';
import { readOptions, type DrillOptions } from './options.ts';
import { runRound, type Round, type RoundOptions } from './round.ts';
import { startDrillCluster, type DrillCluster } from './drill-cluster.ts';
import { describeRound, describeVerdicts, describeViolations } from './table.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function replayOf({ faults, holdMs, calmMs, workers, kinds }: DrillOptions, seed: string): string {
  return `npm run drill -- --seed ${seed} --faults ${faults} --hold ${holdMs / 1000} --calm ${calmMs / 1000} --workers ${workers} --kinds ${kinds.join(',')}`;
}

async function runRounds(drillCluster: DrillCluster, options: DrillOptions): Promise<Round[]> {
  const rounds: Round[] = [];
  let undisturbed: Round | undefined;
  for (let index = 0; index < options.rounds; index += 1) {
    const round: RoundOptions = { ...options, seed: String(options.seed + index), report: say };
    if (options.withUndisturbed && undisturbed === undefined) {
      say('the same work undisturbed …');
      undisturbed = await runRound(drillCluster, { ...round, undisturbed: true });
      say(describeViolations(undisturbed));
    }
    say(`\nseed ${round.seed} — replay it with: ${replayOf(options, round.seed)}`);
    const done = await runRound(drillCluster, round);
    say(`\n${describeRound(done, undisturbed)}\n${describeViolations(done)}`);
    rounds.push(done);
  }
  return undisturbed === undefined ? rounds : [...rounds, { ...undisturbed, seed: `${undisturbed.seed} undisturbed` }];
}

function writeJson(file: string, rounds: readonly Round[]): void {
  const figures = rounds.map(({ seed, verdict, faults, violations, interruptions }) => ({
    seed,
    verdict,
    faults,
    violations,
    interruptions,
  }));
  writeFileSync(file, `${JSON.stringify(figures, undefined, 2)}\n`);
}

async function run(options: DrillOptions): Promise<number> {
  say('starting PostgreSQL, Redis and two replicas of each service …');
  const drillCluster = await startDrillCluster(say);
  const kept = join(dirname(drillCluster.infrastructure.dir), 'failed-drill');
  let keep: string | undefined;
  rmSync(kept, { recursive: true, force: true });
  try {
    const rounds = await runRounds(drillCluster, options);
    say(describeVerdicts(rounds));
    if (options.json !== undefined) writeJson(options.json, rounds);
    const violations = rounds.reduce((sum, round) => sum + round.violations.length, 0);
    say(violations === 0 ? '\nno violation' : `\n${violations} violations; logs and records: ${kept}`);
    if (violations > 0) keep = kept;
    return violations === 0 ? 0 : 1;
  } finally {
    await drillCluster.stop(keep);
  }
}

await runCommand('drill', async () => run(readOptions(process.argv.slice(2))));
// What a drill that broke off has left would keep this process alive.
process.exit();
