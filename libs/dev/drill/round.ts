import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { waitUntil } from '#dev/cluster';
import { register } from '../effects/accounts.ts';
import { accountCalls } from './account.ts';
import { attemptMs, createCaller, type Caller, type Violation } from './caller.ts';
import { check, type CheckedPerson, type Verdict } from './checks.ts';
import { inflict } from './faults.ts';
import { follow } from './follower.ts';
import { openRecorder } from './recorder.ts';
import { touching, type Attempt, type Window } from './measures.ts';
import { describeFault, makePlan, type FaultKind, type PlannedFault } from './plan.ts';
import { createRandom } from '../testing/src/random.ts';
import { startStallMeter } from './stalls.ts';
import type { DrillCluster } from './drill-cluster.ts';
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
  readonly giveUpAfterMs: number;
  /** A round in which fewer writes are acknowledged proves nothing. */
  readonly leastWrites: number;
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
  /** How long the drill itself stood still at most; what a call lost by that is allowed to it. */
  readonly longestStallMs: number;
}

/** What a round works with. */
type Course = Awaited<ReturnType<typeof openCourse>>;

async function openCourse(drillCluster: DrillCluster, options: RoundOptions) {
  const attempts: Attempt[] = [];
  const violations: Violation[] = [];
  /** Moves with the faults: while one is on, nobody gives up. */
  const limit = { giveUpAt: Date.now() + options.giveUpAfterMs };
  /** Calls that are under way. */
  const open = new Set<Promise<unknown>>();
  const stalls = startStallMeter();
  const callerOf = (worker: number): Caller =>
    createCaller({ worker, attempts, violations, giveUpAt: () => limit.giveUpAt, stalls, open });
  const recorder = await openRecorder(join(drillCluster.dir, `${Date.now()}.record`));
  return {
    options,
    drillCluster,
    random: createRandom(options.seed),
    recorder,
    attempts,
    violations,
    /** The caller of the drill itself. */
    caller: callerOf(-1),
    callerOf,
    open,
    stalls,
    limit,
  };
}

/** Accounts whose tasks can be assigned to each other, each followed from its first task. */
async function admitPeople({ options, drillCluster, recorder, callerOf }: Course): Promise<CheckedPerson[]> {
  const admit = async (number: number): Promise<CheckedPerson> => {
    const caller = callerOf(number);
    const account = await register(accountCalls(drillCluster, caller));
    const { userId, email, password } = account;
    await recorder.write({ what: 'registered', worker: number, userId, email, password });
    // A person can be assigned to once users knows them.
    await caller.persist('GetMe', () =>
      drillCluster.clients.users.getMe({}, { token: account.token, timeoutMs: attemptMs }),
    );
    return { account, follower: await follow({ drillCluster, account, caller, number }) };
  };
  return Promise.all(Array.from({ length: options.workers }, (_, number) => admit(number)));
}

function employ(
  { options, drillCluster, random, recorder, callerOf }: Course,
  people: readonly CheckedPerson[],
): Worker[] {
  const ids = people.map(({ account }) => account.userId);
  const round = `${options.seed}-${Date.now().toString(36)}`;
  return people.map(({ account }, number) => {
    return new Worker({
      number,
      round,
      drillCluster,
      random: random.fork(`worker ${number}`),
      caller: callerOf(number),
      recorder,
      account,
      people: ids,
    });
  });
}

/**
 * Invariant 7: who sends nothing twice notices nothing of a rolling restart, whether the call began before it, during it, or
 * was still under way at its end. The hurried ones may run out of time.
 */
async function judgeRestart({ attempts, caller, open }: Course, window: Window): Promise<void> {
  await Promise.allSettled([...open]);
  const failed = touching(attempts, window).filter(({ outcome, provoked }) => outcome !== 'OK' && !provoked);
  for (const { method, outcome } of failed)
    caller.violate(7, `${method} failed with ${outcome} during a rolling restart`);
}

/** Faults after which auth cannot know whether its callee has done what it was asked for, and how often. */
const outages: Partial<Record<FaultKind, number>> = { kill: 1, freeze: 1, 'postgres-restart': 2, 'rolling-restart': 2 };

async function suffer(course: Course, fault: PlannedFault, workers: readonly Worker[]): Promise<FaultRecord> {
  const { options, drillCluster, caller, limit } = course;
  const name = describeFault(fault);
  options.report(`${name} …`);
  limit.giveUpAt = Infinity;
  drillCluster.outages.count += outages[fault.kind] ?? 0;
  const from = Date.now();
  const heal = await inflict(drillCluster, fault);
  if (fault.kind === 'rolling-restart') await judgeRestart(course, { from, to: Date.now() });
  await pause(fault.holdMs);
  await heal();
  const healedAt = Date.now();
  limit.giveUpAt = healedAt + options.giveUpAfterMs;
  const lagging = async (): Promise<number> => workers.filter(({ lastWriteBegan }) => lastWriteBegan < healedAt).length;
  const still = await waitUntil(lagging, (count) => count === 0, options.giveUpAfterMs).catch(lagging);
  if (still > 0)
    caller.violate(
      3,
      `${still} of ${workers.length} clients could not write within ${options.giveUpAfterMs} ms after ${name}`,
    );
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

/** One drill on a cluster: people work, faults come and go, and then the record is compared with the cluster. */
export async function runRound(drillCluster: DrillCluster, options: RoundOptions): Promise<Round> {
  const course = await openCourse(drillCluster, options);
  const people = await admitPeople(course);
  const workers = employ(course, people);
  const from = Date.now();
  const leaving = new AbortController();
  course.limit.giveUpAt = Infinity;
  const working = Promise.all(workers.map((worker) => worker.work(leaving.signal)));
  await pause(options.calmMs);
  const end = async (): Promise<void> => {
    course.limit.giveUpAt = Date.now() + options.giveUpAfterMs;
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
  await course.recorder.close();
  const { recorder, caller, violations, attempts } = course;
  const verdict = await check({
    drillCluster,
    caller,
    recordFile: recorder.file,
    people,
    giveUpAfterMs: options.giveUpAfterMs,
    leastWrites: options.leastWrites,
  });
  const interruptions = people.reduce((sum, { follower }) => sum + follower.interruptions(), 0);
  await Promise.all(people.map(({ follower }) => follower.stop()));
  course.stalls.stop();
  return {
    seed: options.seed,
    attempts,
    faults,
    violations,
    verdict,
    work,
    interruptions,
    longestStallMs: course.stalls.longestMs(),
  };
}
