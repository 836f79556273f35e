import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startCluster, type Cluster, type Infrastructure } from '#libs/devcluster';
import { Redis } from 'ioredis';
import { openClients, type Clients } from './clients.ts';
import { createDice, type Dice } from './dice.ts';
import { openEffects, type EffectsReader } from './effects.ts';
import { createLedger, type Audit, type Ledger } from './ledger.ts';
import { crashPoints, type CrashPoint } from './points.ts';

export interface CrashTestOptions {
  infrastructure: Pick<Infrastructure, 'dir' | 'postgresAdminUrl' | 'redisUrl'>;
  rounds: number;
  seed: number;
  /** Crashes PostgreSQL and starts it again, in some rounds; left out for a server that others use. */
  crashPostgres?: () => Promise<void>;
  report: (line: string) => void;
}

/** One crash and what else happened to the cluster then. */
export interface Round {
  number: number;
  point: CrashPoint;
  with: '' | 'FLUSHALL' | 'PostgreSQL crash';
  /** From the crash until everything acknowledged until the next one had been delivered. */
  recoverySeconds: number | undefined;
}

export interface CrashReport extends Audit {
  seed: number;
  history: Round[];
  /** Repetitions that changed nothing: of requests, of deliveries, of runs. */
  blocked: number;
  seconds: number;
}

const schedulers = 2;
const people = 8;
/** A job of a process that vanished is taken over after 20 s, and a postponed one comes back after 30 s at most. */
const patienceMs = 120_000;
const redisShare = 0.15;
const postgresShare = 0.05;

interface Test {
  options: CrashTestOptions;
  cluster: Cluster;
  clients: Clients;
  effects: EffectsReader;
  ledger: Ledger;
  dice: Dice;
  ordersFile: string;
  /** Takes the label of the process that has died. */
  nextLoss: () => Promise<string>;
}

/** Kills a process at a point in every round, starts it again, and looks whether all that was acknowledged happened once. */
export async function runCrashTest(options: CrashTestOptions): Promise<CrashReport> {
  const { infrastructure, seed } = options;
  const ordersFile = join(infrastructure.dir, `crash-orders-${seed}`);
  const losses = createLosses();
  const cluster = await startCluster({
    postgresAdminUrl: infrastructure.postgresAdminUrl,
    redisUrl: infrastructure.redisUrl,
    ports: 'free',
    replicas: { scheduler: schedulers },
    env: { TASKFLOW_CRASH_FILE: ordersFile, TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '1000' },
    onLoss: losses.add,
  });
  const dice = createDice(seed);
  const effects = openEffects(cluster);
  const clients = await openClients(cluster, people, () => dice.between(0, people - 1));
  try {
    return await playRounds({ options, cluster, clients, effects, ledger: createLedger(), dice, ordersFile, nextLoss: losses.next });
  } finally {
    clients.close();
    await effects.close();
    await cluster.stop();
    rmSync(ordersFile, { force: true });
  }
}

function createLosses(): { add: (label: string) => void; next: () => Promise<string> } {
  const known: string[] = [];
  let wake = (): void => undefined;
  return {
    add: (label) => {
      known.push(label);
      wake();
    },
    next: async () => {
      while (known.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return known.shift() as string;
    },
  };
}

/** Every point as often as every other, in an order of chance. */
function drawPoints(dice: Dice, count: number): CrashPoint[] {
  const drawn: CrashPoint[] = [];
  while (drawn.length < count) drawn.push(...dice.shuffle(crashPoints));
  return drawn.slice(0, count);
}

async function playRounds(test: Test): Promise<CrashReport> {
  const { options, dice } = test;
  const startedAt = performance.now();
  const history: Round[] = [];
  const watch = watchRecovery(test, history);
  for (const [index, point] of drawPoints(dice, options.rounds).entries()) {
    const round: Round = { number: index + 1, point, with: drawCompanion(dice, options.crashPostgres !== undefined), recoverySeconds: undefined };
    await playRound(test, round, () => {
      history.push(round);
      watch.crashed(round);
    });
    options.report(`round ${round.number} of ${options.rounds}: ${point.name}${round.with === '' ? '' : ` and ${round.with}`}`);
  }
  await watch.finish();
  const audit = await test.ledger.audit(test.effects);
  return { ...audit, seed: options.seed, history, blocked: countBlocked(test), seconds: Math.round((performance.now() - startedAt) / 1_000) };
}

function drawCompanion(dice: Dice, crashPostgres: boolean): Round['with'] {
  const value = dice.next();
  if (value < redisShare) return 'FLUSHALL';
  return crashPostgres && value < redisShare + postgresShare ? 'PostgreSQL crash' : '';
}

async function playRound(test: Test, round: Round, onCrash: () => void): Promise<void> {
  const { cluster, ordersFile, options } = test;
  writeFileSync(ordersFile, round.point.name);
  const work = startWork(test, round.number);
  const label = await within(test.nextLoss(), `${round.point.name} was not reached`);
  onCrash();
  if (round.with === 'FLUSHALL') await flush(cluster.redisUrl);
  if (round.with === 'PostgreSQL crash') await options.crashPostgres?.();
  await cluster.start(round.point.service, label.endsWith('-2') ? 1 : 0);
  await work;
}

/** Some new tasks, and some old ones with another due time. Resolves when all are acknowledged. */
async function startWork({ clients, ledger, dice }: Test, round: number): Promise<void> {
  const creations = Array.from({ length: dice.between(3, 10) }, async () => ledger.acknowledge(round, await clients.createTask()));
  const reschedulings = Array.from({ length: dice.between(0, 3) }, async () => {
    const task = ledger.takeSettled((tasks) => dice.pick(tasks));
    if (task === undefined) return;
    await clients.reschedule(task);
    ledger.acknowledge(round, task);
  });
  await Promise.all([...creations, ...reschedulings]);
}

/** Looks on while rounds go on, since some take longer to heal than the next crash waits. */
function watchRecovery({ ledger, effects }: Test, history: readonly Round[]): { crashed(round: Round): void; finish(): Promise<void> } {
  const crashedAt = new Map<number, number>();
  /** May come before the crash; a later acknowledgement of the round moves it. */
  const keptAt = new Map<number, number>();
  let stopped = false;
  const look = async (): Promise<void> => {
    for (const number of await ledger.look(effects)) keptAt.set(number, performance.now());
  };
  const watching = (async () => {
    while (!stopped) {
      await look();
      await pause(100);
    }
  })();
  return {
    crashed: (round) => void crashedAt.set(round.number, performance.now()),
    finish: async () => {
      const giveUp = performance.now() + patienceMs;
      while (history.some(({ number }) => !keptAt.has(number)) && performance.now() < giveUp) await pause(100);
      // What is repeated comes after what was asked for: wait until nothing moves any more.
      while ((await effects.pending()) > 0 && performance.now() < giveUp) await pause(100);
      await pause(3_000);
      stopped = true;
      await watching;
      for (const round of history) {
        const kept = keptAt.get(round.number);
        if (kept !== undefined) round.recoverySeconds = Math.max(0, kept - (crashedAt.get(round.number) ?? kept)) / 1_000;
      }
    },
  };
}

async function flush(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.flushdb();
  redis.disconnect();
}

function countBlocked({ cluster, clients }: Test): number {
  const lines = Array.from({ length: schedulers }, (_, replica) => cluster.logs('scheduler', replica).split('\n')).flat();
  const settled = lines.filter((line) => line.includes('notifications had been settled before')).map((line) => (JSON.parse(line) as { count: number }).count);
  const runs = lines.filter((line) => line.includes('a run had ended before')).length;
  return clients.repeated() + settled.reduce((sum, count) => sum + count, 0) + runs;
}

async function within<T>(work: Promise<T>, failure: string): Promise<T> {
  const late = new AbortController();
  const timeout = pause(patienceMs, undefined, { signal: late.signal }).then(() => Promise.reject(new Error(failure)));
  timeout.catch(() => undefined);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    late.abort();
  }
}
