import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskEventType } from '#client/tasks';
import type { Task } from '#contract/tasks/v1/tasks';
import { isServing, queryDatabase, serviceNames, waitUntil } from '#dev/cluster';
import type { Fault } from '../effects/fault.ts';
import { judge } from '../effects/judge.ts';
import { signIn, type Account } from '../effects/accounts.ts';
import { accountCalls } from './account.ts';
import type { Caller } from './caller.ts';
import { listInbox, listMine, readStats } from './evidence.ts';
import type { Follower } from './follower.ts';
import { readRecord, type Entry, type KnownTask } from './recorder.ts';
import { replicas, type DrillCluster } from './drill-cluster.ts';
import { differences, isOverdue, toKnown } from './task-state.ts';

export interface CheckedPerson {
  account: Account;
  follower: Follower;
}

export interface CheckOptions {
  drillCluster: DrillCluster;
  caller: Caller;
  recordFile: string;
  people: readonly CheckedPerson[];
  giveUpAfterMs: number;
  /** Of the round. */
  leastWrites: number;
}

export interface Verdict {
  acknowledged: number;
  lost: number;
  duplicated: number;
  notified: number;
}

type Acknowledged = Extract<Entry, { what: 'acknowledged' }>;

/** The record of one person. */
interface PersonalRecord {
  acknowledged: Acknowledged[];
  abandoned: ReadonlySet<string>;
  refused: ReadonlySet<string>;
}

function ofPerson(entries: readonly Entry[], userId: string): PersonalRecord {
  const own = entries.filter((entry) => entry.userId === userId);
  const titles = (what: 'abandoned' | 'refused') =>
    new Set(own.flatMap((entry) => (entry.what === what ? [entry.title] : [])));
  return {
    acknowledged: own.filter((entry) => entry.what === 'acknowledged'),
    abandoned: titles('abandoned'),
    refused: titles('refused'),
  };
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  return new Map([...Map.groupBy(items, keyOf)].map(([key, group]) => [key, group.length]));
}

/** The last thing that was acknowledged of each task. */
function lastKnown(acknowledged: readonly Acknowledged[]): Map<string, KnownTask> {
  return new Map(acknowledged.map(({ taskId, known }) => [taskId, known]));
}

/** Invariant 1: every acknowledged write is there with its acknowledged content. */
function findLost(found: readonly Task[], { acknowledged }: PersonalRecord): string[] {
  const tasks = new Map(found.map((task) => [task.id, toKnown(task)]));
  return [...lastKnown(acknowledged)].flatMap(([id, known]) => {
    const task = tasks.get(id);
    if (task === undefined) return [`task ${id} (${known.title}) was acknowledged and is not there`];
    const wrong = differences(task, known);
    return wrong === '' ? [] : [`task ${id} is not as it was acknowledged: ${wrong}`];
  });
}

/** Invariant 1: every idempotent retry has one effect; nothing that was refused or rolled back has any. */
function findSurplus(found: readonly Task[], { acknowledged, abandoned, refused }: PersonalRecord): string[] {
  const known = lastKnown(acknowledged);
  const strangers = found.filter(({ id }) => !known.has(id));
  const seen = new Set<string>();
  return strangers.flatMap(({ id, title }) => {
    if (refused.has(title)) return [`task ${id} (${title}) is there although it was refused`];
    if (!abandoned.has(title)) return [`task ${id} (${title}) is there once more than it was acknowledged`];
    const twice = seen.has(title);
    seen.add(title);
    return twice ? [`${title} was given up and is there twice`] : [];
  });
}

/** Invariant 1: one event for each acknowledged change, in a stream without gap or repetition (invariant 7: streams resume). */
function findWrongEvents({ account, follower }: CheckedPerson, { acknowledged }: PersonalRecord): string[] {
  const own = follower.events.filter(({ streamId }) => streamId === account.userId);
  const sequences = own.map(({ sequence }) => Number(sequence)).sort((a, b) => a - b);
  const gap = sequences.findIndex((sequence, index) => sequence !== index + 1);
  const changes = own.filter(({ type }) => type !== TaskEventType.OVERDUE);
  const counts = countBy(changes, ({ taskId }) => taskId);
  const wanted = countBy(acknowledged, ({ taskId }) => taskId);
  const wrong = [...wanted].filter(([id, count]) => counts.get(id) !== count);
  return [
    ...(gap < 0 ? [] : [`the stream of ${account.userId} has ${sequences[gap]} in the place of event ${gap + 1}`]),
    ...wrong.map(([id, count]) => `task ${id} has ${counts.get(id) ?? 0} events after ${count} acknowledged changes`),
  ];
}

function countOverdue(inbox: Awaited<ReturnType<typeof listInbox>>): Map<string, number> {
  const overdue = inbox.filter(({ kind }) => kind === NotificationKind.OVERDUE);
  return countBy(overdue, ({ taskId, dueTime }) => `${taskId} ${dueTime?.toISOString() ?? ''}`);
}

/**
 * Tasks that were deleted since they got the due time that they have. Such a task may have been found overdue while it was
 * deleted: that notification was dropped, and there is no other for the same due time.
 */
function deletedSinceDue(entries: readonly Entry[]): ReadonlySet<string> {
  const dueTimes = new Map<string, string>();
  const deleted = new Set<string>();
  for (const entry of entries) {
    if (entry.what !== 'acknowledged') continue;
    const { taskId, known } = entry;
    if (dueTimes.get(taskId) !== known.dueTime) deleted.delete(taskId);
    dueTimes.set(taskId, known.dueTime);
    if (known.deleted) deleted.add(taskId);
  }
  return deleted;
}

/** The due times of which a person must be notified in the end. */
const overdueKeys = (tasks: readonly Task[], excused: ReadonlySet<string>): string[] =>
  tasks
    .filter((task) => isOverdue(toKnown(task)) && !excused.has(task.id))
    .map(({ id, effectiveDueTime }) => `${id} ${effectiveDueTime?.toISOString() ?? ''}`);

async function checkNotifications(
  { drillCluster, caller, people, giveUpAfterMs }: CheckOptions,
  entries: readonly Entry[],
  tasks: readonly Task[][],
): Promise<{ notified: number; duplicated: number }> {
  const excused = deletedSinceDue(entries);
  let notified = 0;
  let duplicated = 0;
  for (const [index, { account }] of people.entries()) {
    const wanted = overdueKeys(tasks[index] ?? [], excused);
    const read = async (): Promise<Map<string, number>> => countOverdue(await listInbox(drillCluster, caller, account));
    const missing = (counts: Map<string, number>): string[] => wanted.filter((key) => !counts.has(key));
    const counts = await waitUntil(read, (answer) => missing(answer).length === 0, giveUpAfterMs).catch(read);
    for (const key of missing(counts))
      caller.violate(2, `${account.userId} was never notified that task ${key} is overdue`);
    for (const [key, count] of counts) {
      if (count > 1) caller.violate(1, `${account.userId} was notified ${count} times that task ${key} is overdue`);
      duplicated += count - 1;
    }
    notified += counts.size;
  }
  return { notified, duplicated };
}

/** Invariant 3: no transaction is left open, whatever became of the process or the connection that began it. */
async function checkTransactions({ drillCluster, caller }: CheckOptions): Promise<void> {
  const stuck = await queryDatabase(
    drillCluster.infrastructure.postgresAdminUrl,
    `select 1 from pg_stat_activity where state like 'idle in transaction%' and state_change < now() - interval '12 seconds'`,
  );
  if (stuck.length > 0) caller.violate(3, `${stuck.length} transactions were left open`);
}

/** Every process is there, SERVING, without a restart that nobody asked for. */
async function checkProcesses({ drillCluster, caller, giveUpAfterMs }: CheckOptions): Promise<void> {
  for (const loss of drillCluster.losses) caller.violate(3, `a process ended by itself: ${loss}`);
  const places = serviceNames.flatMap((service) =>
    Array.from({ length: replicas }, (_, replica) => ({ service, replica })),
  );
  for (const { service, replica } of places) {
    const look = (): Promise<boolean> => isServing(drillCluster.cluster.address(service, replica));
    const serving = await waitUntil(look, Boolean, giveUpAfterMs).catch(() => false);
    if (!serving) caller.violate(3, `${service}-${replica + 1} did not become SERVING again`);
  }
}

/** Invariant 1: what the databases hold is what the calls of all rounds explain, and nothing else. */
async function checkEffects({ drillCluster, caller, giveUpAfterMs }: CheckOptions): Promise<void> {
  const look = async (): Promise<Fault[]> =>
    judge(drillCluster.calls, await drillCluster.facts.read(), drillCluster.outages.count);
  // What is missing may still come; what is there too often stays.
  const nothingLost = (faults: readonly Fault[]): boolean => faults.every(({ kind }) => kind !== 'lost');
  const faults = await waitUntil(look, nothingLost, giveUpAfterMs).catch(look);
  for (const { kind, what } of faults) caller.violate(1, `${kind}: ${what}`);
}

async function checkAccounts({ drillCluster, caller }: CheckOptions, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    if (entry.what !== 'registered') continue;
    const { userId } = await signIn(accountCalls(drillCluster, caller), entry);
    if (userId !== entry.userId)
      caller.violate(1, `${entry.email} is another account than the one that was registered`);
  }
}

async function checkStats(
  { drillCluster, caller }: CheckOptions,
  account: Account,
  tasks: readonly Task[],
): Promise<void> {
  const stats = await readStats(drillCluster, caller, account);
  const there = tasks.filter(({ deleteTime }) => deleteTime === undefined).length;
  if (stats?.totalCount !== BigInt(there))
    caller.violate(1, `the statistics of ${account.userId} count ${stats?.totalCount} tasks where ${there} are`);
}

/** Waits a while for missing events: a stream may be a moment behind. */
async function checkEvents(person: CheckedPerson, record: PersonalRecord, giveUpAfterMs: number): Promise<string[]> {
  const look = async (): Promise<string[]> => findWrongEvents(person, record);
  return waitUntil(look, (wrong) => wrong.length === 0, giveUpAfterMs).catch(look);
}

/** Compares what the record says with what the cluster says, over the public API. Every difference is a violation. */
export async function check(options: CheckOptions): Promise<Verdict> {
  const { drillCluster, caller, people, giveUpAfterMs } = options;
  const entries = readRecord(options.recordFile);
  await checkProcesses(options);
  const verdict: Verdict = { acknowledged: 0, lost: 0, duplicated: 0, notified: 0 };
  const tasks: Task[][] = [];
  for (const person of people) {
    const record = ofPerson(entries, person.account.userId);
    const mine = await listMine(drillCluster, caller, person.account);
    tasks.push(mine);
    const found = mine.filter(({ ownerId }) => ownerId === person.account.userId);
    const lost = findLost(found, record);
    const surplus = findSurplus(found, record);
    const wrongEvents = await checkEvents(person, record, giveUpAfterMs);
    for (const what of [...lost, ...surplus, ...wrongEvents]) caller.violate(1, what);
    await checkStats(options, person.account, mine);
    verdict.acknowledged += record.acknowledged.length;
    verdict.lost += lost.length;
    verdict.duplicated += surplus.length;
  }
  const { notified, duplicated } = await checkNotifications(options, entries, tasks);
  await checkAccounts(options, entries);
  await checkTransactions(options);
  await checkEffects(options);
  if (verdict.acknowledged < options.leastWrites) {
    caller.violate(
      3,
      `${verdict.acknowledged} writes were acknowledged, where a round has to have ${options.leastWrites}`,
    );
  }
  return { ...verdict, notified, duplicated: verdict.duplicated + duplicated };
}
