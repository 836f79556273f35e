import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '#libs/devcluster';
import { attemptMs, register } from './account.ts';
import { createCaller, type Caller, type Violation } from './caller.ts';
import { check, type CheckedPerson, type Verdict } from './checks.ts';
import { inflict } from './faults.ts';
import { follow } from './follower.ts';
import { openLedger, type Ledger } from './ledger.ts';
import { within, type Attempt, type Window } from './measures.ts';
import { describeFault, makePlan, type FaultKind, type PlannedFault } from './plan.ts';
import { createRandom, type Random } from './random.ts';
import type { Stage } from './stage.ts';
import { Worker } from './worker.ts';

export interface RoundOptions {
  readonly seed: string;
  readonly workers: number;
  /** How long the workload goes on before the first fault and after the last. */
  readonly calmMs: number;
  readonly faults: number;
  /** About how long a fault lasts. */
  readonly holdMs: number;
  readonly kinds?: readonly FaultKind[];
  /** How long after the end of a fault everything has to work again. */
  readonly patienceMs: number;
  /** The same workload for as long, and nothing is done to the cluster. */
  readonly undisturbed?: boolean;
  readonly report: (line: string) => void;
}

/** A fault as it went. */
export interface FaultRecord {
  readonly name: string;
  readonly window: Window;
  readonly heldMs: number;
  /** From the end of the fault until every worker has begun and ended a write. */
  readonly recoveredMs: number;
}

export interface Round {
  readonly seed: string;
  readonly attempts: readonly Attempt[];
  readonly faults: readonly FaultRecord[];
  readonly violations: readonly Violation[];
  readonly verdict: Verdict;
  readonly work: Window;
  readonly interruptions: number;
}

/** What a round works with. */
interface Course {
  options: RoundOptions;
  stage: Stage;
  random: Random;
  ledger: Ledger;
  attempts: Attempt[];
  violations: Violation[];
  /** The caller of the drill itself. */
  caller: Caller;
  callerOf: (worker: number) => Caller;
  /** Moves with the faults: while one is on, nobody gives up. */
  patience: { giveUpAt: number };
}

async function openCourse(stage: Stage, options: RoundOptions): Promise<Course> {
  const attempts: Attempt[] = [];
  const violations: Violation[] = [];
  const patience = { giveUpAt: Date.now() + options.patienceMs };
  const callerOf = (worker: number): Caller => createCaller({ worker, attempts, violations, giveUpAt: () => patience.giveUpAt });
  const ledger = await openLedger(join(stage.dir, `${Date.now()}.ledger`));
  return { options, stage, random: createRandom(options.seed), ledger, attempts, violations, caller: callerOf(-1), callerOf, patience };
}

/** Accounts whose tasks can be assigned to each other, each followed from its first task. */
async function admitPeople({ options, stage, ledger, callerOf }: Course): Promise<CheckedPerson[]> {
  const admit = async (number: number): Promise<CheckedPerson> => {
    const caller = callerOf(number);
    const account = await register(stage, caller);
    const { userId, email, password } = account;
    await ledger.write({ what: 'registered', worker: number, userId, email, password });
    // A person can be assigned to once users knows them.
    await caller.persist('GetMe', () => stage.clients.users.getMe({}, { token: account.token, timeoutMs: attemptMs }), []);
    return { account, follower: await follow(stage, account, caller) };
  };
  return Promise.all(Array.from({ length: options.workers }, (_, number) => admit(number)));
}

function employ({ options, stage, random, ledger, callerOf }: Course, people: readonly CheckedPerson[]): Worker[] {
  const ids = people.map(({ account }) => account.userId);
  const round = `${options.seed}-${Date.now().toString(36)}`;
  return people.map(({ account }, number) => {
    return new Worker({ number, round, stage, random: random.fork(`worker ${number}`), caller: callerOf(number), ledger, account, people: ids });
  });
}

/** Invariant 7: who sends nothing twice notices nothing of a rolling restart. The hurried ones may run out of time. */
function judgeRestart({ attempts, caller }: Course, window: Window): void {
  const failed = within(attempts, window).filter(({ outcome, provoked }) => outcome !== 'OK' && !provoked);
  for (const { method, outcome } of failed) caller.violate(7, `${method} failed with ${outcome} during a rolling restart`);
}

async function suffer(course: Course, fault: PlannedFault, workers: readonly Worker[]): Promise<FaultRecord> {
  const { options, stage, caller, patience } = course;
  const name = describeFault(fault);
  options.report(`${name} …`);
  patience.giveUpAt = Infinity;
  const from = Date.now();
  const heal = await inflict(stage, fault);
  if (fault.kind === 'rolling-restart') judgeRestart(course, { from, to: Date.now() });
  await pause(fault.holdMs);
  await heal();
  const healedAt = Date.now();
  patience.giveUpAt = healedAt + options.patienceMs;
  const lagging = async (): Promise<number> => workers.filter(({ lastWriteBegan }) => lastWriteBegan < healedAt).length;
  const still = await until(lagging, (count) => count === 0, options.patienceMs).catch(lagging);
  if (still > 0) caller.violate(3, `${still} of ${workers.length} clients could not write within ${options.patienceMs} ms after ${name}`);
  const to = Date.now();
  return { name, window: { from, to }, heldMs: healedAt - from, recoveredMs: to - healedAt };
}

async function sufferAll(course: Course, workers: readonly Worker[]): Promise<FaultRecord[]> {
  const { options, random } = course;
  const records: FaultRecord[] = [];
  for (const fault of makePlan(random.fork('plan'), options)) {
    await pause(fault.afterMs);
    if (options.undisturbed === true) await pause(fault.holdMs);
    else records.push(await suffer(course, fault, workers));
  }
  return records;
}

/** One drill on a cluster: people work, faults come and go, and then the ledger is compared with the cluster. */
export async function runRound(stage: Stage, options: RoundOptions): Promise<Round> {
  const course = await openCourse(stage, options);
  const people = await admitPeople(course);
  const workers = employ(course, people);
  const from = Date.now();
  const leaving = new AbortController();
  course.patience.giveUpAt = Infinity;
  const working = Promise.all(workers.map((worker) => worker.work(leaving.signal)));
  await pause(options.calmMs);
  const end = async (): Promise<void> => {
    course.patience.giveUpAt = Date.now() + options.patienceMs;
    leaving.abort();
    await working;
  };
  const faults = await sufferAll(course, workers).catch(async (error: unknown) => {
    await end();
    throw error;
  });
  await pause(options.calmMs);
  await end();
  const work = { from, to: Date.now() };
  await course.ledger.close();
  const { ledger, caller, violations, attempts } = course;
  const verdict = await check({ stage, caller, ledgerFile: ledger.file, people, patienceMs: options.patienceMs });
  const interruptions = people.reduce((sum, { follower }) => sum + follower.interruptions(), 0);
  await Promise.all(people.map(({ follower }) => follower.stop()));
  return { seed: options.seed, attempts, faults, violations, verdict, work, interruptions };
}
