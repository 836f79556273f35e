import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Facts } from '../effects/facts.ts';
import type { Fault } from '../effects/fault.ts';
import { judgeHistory } from '../effects/judge-history.ts';
import type { Random } from '../testing/src/random.ts';
import { freezeAt } from './freeze.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { crashPoints, type CrashPoint } from './points.ts';
import { watchRecovery, type Recovery } from './recovery.ts';
import type { Round } from './round.ts';
import { waitForQuiet } from './wait-for-quiet.ts';
import { startCrashTestCluster, type CrashTestCluster, type CrashTestClusterOptions } from './crash-test-cluster.ts';
import { playWork } from './work.ts';

export interface CrashTestOptions extends Pick<CrashTestClusterOptions, 'infrastructure' | 'seed' | 'copyDatabases'> {
  rounds: number;
  /** Crashes PostgreSQL and starts it again, in some rounds; left out for a server that others use. */
  crashPostgres?: () => Promise<void>;
  report: (line: string) => void;
}

export interface CrashReport {
  seed: number;
  /** Due versions whose storing clients had acknowledged. */
  acknowledged: (rounds: readonly Round[]) => number;
  /** All calls on record, and those whose outcome their clients do not know. */
  calls: number;
  unknown: number;
  /** What is not as the calls explain it. */
  faults: Fault[];
  history: Round[];
  /** Repetitions that changed nothing: of requests, of deliveries, of runs. */
  blocked: number;
  seconds: number;
}

export const schedulers = 2;
/** A job of a process that vanished is taken over after 20 s, and a postponed one comes back after 30 s at most. */
const giveUpAfterMs = 120_000;

interface Test {
  options: CrashTestOptions;
  testCluster: CrashTestCluster;
  recorder: Recorder;
  recovery: Recovery;
  history: Round[];
  /** What was there when a frozen process went on: it must not change what had ended. */
  snapshots: Facts[];
}

/** Kills a process at a point in every round, starts it again, and looks whether everything is there that the calls explain, and nothing else. */
export async function runCrashTest(options: CrashTestOptions): Promise<CrashReport> {
  const testCluster = await startCrashTestCluster({ ...options, replicas: { scheduler: schedulers } });
  const [recorder, history]: [Recorder, Round[]] = [createRecorder(), []];
  try {
    return await playRounds({
      options,
      testCluster,
      recorder,
      history,
      recovery: watchRecovery(recorder, testCluster.facts),
      snapshots: [],
    });
  } finally {
    await testCluster.close();
  }
}

/** Every point as often as every other, in an order of chance. */
function drawPoints(random: Random, count: number): CrashPoint[] {
  const drawn: CrashPoint[] = [];
  while (drawn.length < count) drawn.push(...random.shuffle(crashPoints));
  return drawn.slice(0, count);
}

async function playRounds(test: Test): Promise<CrashReport> {
  const { options, testCluster, history, recorder, recovery } = test;
  const startedAt = performance.now();
  for (const [index, point] of drawPoints(testCluster.random, options.rounds).entries()) {
    const round: Round = {
      number: index + 1,
      point,
      with: drawCompanion(testCluster.random, point, options),
      recoverySeconds: undefined,
    };
    await playRound(test, round);
    options.report(
      `round ${round.number} of ${options.rounds}: ${point.name}${round.with === '' ? '' : ` and ${round.with}`}`,
    );
  }
  await recovery.finish(history, giveUpAfterMs);
  const facts = await waitForQuiet(testCluster, giveUpAfterMs);
  const { writes, accounts } = testCluster.clients.log;
  return {
    seed: options.seed,
    acknowledged: (rounds) => recorder.countAcknowledged(new Set(rounds.map(({ number }) => number))),
    calls: writes.length + accounts.length,
    unknown: [...writes, ...accounts].filter(({ outcome }) => outcome === 'unknown').length,
    faults: [...testCluster.judge(facts), ...test.snapshots.flatMap((before) => judgeHistory(before, facts))],
    history,
    blocked: countBlocked(testCluster),
    seconds: Math.round((performance.now() - startedAt) / 1_000),
  };
}

function drawCompanion(random: Random, { service }: CrashPoint, { crashPostgres }: CrashTestOptions): Round['with'] {
  const value = random.next();
  if (value < 0.15) return 'FLUSHALL';
  if (value < 0.2) return crashPostgres === undefined ? '' : 'PostgreSQL crash';
  if (value < 0.3) return value < 0.25 ? 'crash of auth' : 'crash of users';
  // Of the others there is one process each: nobody could do its work.
  return value < 0.4 && service === 'scheduler' ? 'freeze' : '';
}

async function playRound(test: Test, round: Round): Promise<void> {
  const { testCluster, options, recorder, history, recovery } = test;
  const { cluster, ordersFile } = testCluster;
  const onCrash = (): void => {
    history.push(round);
    recovery.crashed(round);
  };
  if (round.with === 'freeze') return freezeRound(test, round, onCrash);
  writeFileSync(ordersFile, round.point.name);
  const work = playWork(testCluster, recorder, round.number);
  const label = await within(testCluster.nextLoss(), `${round.point.name} was not reached`);
  onCrash();
  if (round.with === 'FLUSHALL') await testCluster.flushRedis();
  if (round.with === 'PostgreSQL crash') await crashed(testCluster, async () => options.crashPostgres?.());
  if (round.with === 'crash of auth' || round.with === 'crash of users') {
    const service = round.with === 'crash of auth' ? 'auth' : 'users';
    await crashed(testCluster, () => cluster.kill(service, 'SIGKILL'));
    await cluster.start(service);
  }
  await cluster.start(round.point.service, label.endsWith('-2') ? 1 : 0);
  await work;
}

async function crashed(testCluster: CrashTestCluster, crash: () => Promise<void>): Promise<void> {
  testCluster.losses.count += 1;
  await crash();
}

async function freezeRound(
  { testCluster, recorder, recovery, snapshots }: Test,
  round: Round,
  onCrash: () => void,
): Promise<void> {
  let work: Promise<void> | undefined;
  const frozen = await freezeAt(
    testCluster,
    round.point.name,
    () => (work = playWork(testCluster, recorder, round.number)),
  );
  onCrash();
  // Without its job in Redis another process takes over at once, instead of when the lock runs out.
  await testCluster.flushRedis();
  await work;
  await recovery.untilKept(round, giveUpAfterMs);
  snapshots.push(await testCluster.read());
  await frozen.thaw();
}

function countBlocked({ cluster, clients }: CrashTestCluster): number {
  const lines = Array.from({ length: schedulers }, (_, replica) =>
    cluster.logs('scheduler', replica).split('\n'),
  ).flat();
  const completed = lines
    .filter((line) => line.includes('notifications had been completed before'))
    .map((line) => (JSON.parse(line) as { count: number }).count);
  const runs = lines.filter((line) => line.includes('a run had ended before')).length;
  return clients.repeated() + completed.reduce((sum, count) => sum + count, 0) + runs;
}

async function within<T>(work: Promise<T>, failure: string): Promise<T> {
  const timeout = pause(giveUpAfterMs, undefined, { ref: false }).then(() => Promise.reject(new Error(failure)));
  return Promise.race([work, timeout]);
}
