import { Client } from 'pg';
import { NotificationKind } from '#contract/scheduler/v1/notifications';
import { TaskEventType, type Task } from '#contract/tasks/v1/tasks';
import { isServing, serviceNames, until } from '#libs/devcluster';
import { signIn, type Account } from './account.ts';
import type { Caller } from './caller.ts';
import { listInbox, listMine, readStats } from './evidence.ts';
import type { Follower } from './follower.ts';
import { readLedger, type Entry, type KnownTask } from './ledger.ts';
import { replicas, type Stage } from './stage.ts';
import { differences, isOverdue, toKnown } from './task-state.ts';

export interface CheckedPerson {
  account: Account;
  follower: Follower;
}

export interface CheckOptions {
  stage: Stage;
  caller: Caller;
  ledgerFile: string;
  people: readonly CheckedPerson[];
  patienceMs: number;
}

export interface Verdict {
  acknowledged: number;
  lost: number;
  duplicated: number;
  notified: number;
}

type Acknowledged = Extract<Entry, { what: 'acknowledged' }>;

/** The ledger of one person. */
interface PersonalLedger {
  acknowledged: Acknowledged[];
  abandoned: ReadonlySet<string>;
  refused: ReadonlySet<string>;
}

function ofPerson(entries: readonly Entry[], userId: string): PersonalLedger {
  const own = entries.filter((entry) => entry.userId === userId);
  const titles = (what: 'abandoned' | 'refused') => new Set(own.flatMap((entry) => (entry.what === what ? [entry.title] : [])));
  return { acknowledged: own.filter((entry) => entry.what === 'acknowledged'), abandoned: titles('abandoned'), refused: titles('refused') };
}

/** The last thing that was acknowledged of each task. */
function lastKnown(acknowledged: readonly Acknowledged[]): Map<string, KnownTask> {
  return new Map(acknowledged.map(({ taskId, known }) => [taskId, known]));
}

/** Invariant 1: every acknowledged write is there with its acknowledged content. */
function findLost(found: readonly Task[], { acknowledged }: PersonalLedger): string[] {
  const tasks = new Map(found.map((task) => [task.id, toKnown(task)]));
  return [...lastKnown(acknowledged)].flatMap(([id, known]) => {
    const task = tasks.get(id);
    if (task === undefined) return [`task ${id} (${known.title}) was acknowledged and is not there`];
    const wrong = differences(task, known);
    return wrong === '' ? [] : [`task ${id} is not as it was acknowledged: ${wrong}`];
  });
}

/** Invariant 1: every idempotent retry has one effect; nothing that was refused or rolled back has any. */
function findSurplus(found: readonly Task[], { acknowledged, abandoned, refused }: PersonalLedger): string[] {
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
function findWrongEvents({ account, follower }: CheckedPerson, { acknowledged }: PersonalLedger): string[] {
  const own = follower.events.filter(({ streamId }) => streamId === account.userId);
  const sequences = own.map(({ sequence }) => Number(sequence)).sort((a, b) => a - b);
  const gap = sequences.findIndex((sequence, index) => sequence !== index + 1);
  const changes = own.filter(({ type }) => type !== TaskEventType.OVERDUE);
  const counts = new Map<string, number>();
  for (const { taskId } of changes) counts.set(taskId, (counts.get(taskId) ?? 0) + 1);
  const wanted = new Map<string, number>();
  for (const { taskId } of acknowledged) wanted.set(taskId, (wanted.get(taskId) ?? 0) + 1);
  const wrong = [...wanted].filter(([id, count]) => counts.get(id) !== count);
  return [
    ...(gap < 0 ? [] : [`the stream of ${account.userId} has ${sequences[gap]} in the place of event ${gap + 1}`]),
    ...wrong.map(([id, count]) => `task ${id} has ${counts.get(id) ?? 0} events after ${count} acknowledged changes`),
  ];
}

function countOverdue(inbox: Awaited<ReturnType<typeof listInbox>>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { kind, taskId, dueTime } of inbox) {
    const key = `${taskId} ${dueTime?.toISOString() ?? ''}`;
    if (kind === NotificationKind.OVERDUE) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
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

/** What somebody has to be told in the end. */
const overdueKeys = (tasks: readonly Task[], excused: ReadonlySet<string>): string[] =>
  tasks.filter((task) => isOverdue(toKnown(task)) && !excused.has(task.id)).map(({ id, dueTime }) => `${id} ${dueTime?.toISOString() ?? ''}`);

async function checkNotifications({ stage, caller, people, patienceMs }: CheckOptions, entries: readonly Entry[], tasks: readonly Task[][]): Promise<{ notified: number; duplicated: number }> {
  const excused = deletedSinceDue(entries);
  let notified = 0;
  let duplicated = 0;
  for (const [index, { account }] of people.entries()) {
    const wanted = overdueKeys(tasks[index] ?? [], excused);
    const read = async (): Promise<Map<string, number>> => countOverdue(await listInbox(stage, caller, account));
    const missing = (counts: Map<string, number>): string[] => wanted.filter((key) => !counts.has(key));
    const counts = await until(read, (answer) => missing(answer).length === 0, patienceMs).catch(read);
    for (const key of missing(counts)) caller.violate(2, `${account.userId} was never told that task ${key} is overdue`);
    for (const [key, count] of counts) {
      if (count > 1) caller.violate(1, `${account.userId} was told ${count} times that task ${key} is overdue`);
      duplicated += count - 1;
    }
    notified += counts.size;
  }
  return { notified, duplicated };
}

/** Invariant 3: no transaction is left open, whatever became of the process or the connection that began it. */
async function checkTransactions({ stage, caller }: CheckOptions): Promise<void> {
  const database = new Client({ connectionString: stage.infrastructure.postgresAdminUrl });
  await database.connect();
  try {
    const text = `select count(*)::int as stuck from pg_stat_activity where state like 'idle in transaction%' and state_change < now() - interval '12 seconds'`;
    const { rows } = await database.query<{ stuck: number }>(text);
    if ((rows[0]?.stuck ?? 0) > 0) caller.violate(3, `${rows[0]?.stuck} transactions were left open`);
  } finally {
    await database.end();
  }
}

/** Every process is there, SERVING, without a restart that nobody asked for. */
async function checkProcesses({ stage, caller, patienceMs }: CheckOptions): Promise<void> {
  for (const loss of stage.losses) caller.violate(3, `a process ended by itself: ${loss}`);
  const places = serviceNames.flatMap((service) => Array.from({ length: replicas }, (_, replica) => ({ service, replica })));
  for (const { service, replica } of places) {
    const serving = await until(() => isServing(stage.cluster.address(service, replica)), Boolean, patienceMs).catch(() => false);
    if (!serving) caller.violate(3, `${service}-${replica + 1} did not become SERVING again`);
  }
}

async function checkAccounts({ stage, caller }: CheckOptions, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    if (entry.what !== 'registered') continue;
    const { userId } = await signIn(stage, caller, entry);
    if (userId !== entry.userId) caller.violate(1, `${entry.email} is another account than the one that was registered`);
  }
}

async function checkStats({ stage, caller }: CheckOptions, account: Account, tasks: readonly Task[]): Promise<void> {
  const stats = await readStats(stage, caller, account);
  const there = tasks.filter(({ deleteTime }) => deleteTime === undefined).length;
  if (stats?.total !== BigInt(there)) caller.violate(1, `the statistics of ${account.userId} count ${stats?.total} tasks where ${there} are`);
}

/** The news of a stream may be a moment behind. */
async function settledEvents(person: CheckedPerson, ledger: PersonalLedger, patienceMs: number): Promise<string[]> {
  const look = async (): Promise<string[]> => findWrongEvents(person, ledger);
  return until(look, (wrong) => wrong.length === 0, patienceMs).catch(look);
}

/** Compares what the ledger says with what the cluster says, over the public API. Every difference is a violation. */
export async function check(options: CheckOptions): Promise<Verdict> {
  const { stage, caller, people, patienceMs } = options;
  const entries = readLedger(options.ledgerFile);
  await checkProcesses(options);
  const verdict: Verdict = { acknowledged: 0, lost: 0, duplicated: 0, notified: 0 };
  const tasks: Task[][] = [];
  for (const person of people) {
    const ledger = ofPerson(entries, person.account.userId);
    const mine = await listMine(stage, caller, person.account);
    tasks.push(mine);
    const found = mine.filter(({ ownerId }) => ownerId === person.account.userId);
    const lost = findLost(found, ledger);
    const surplus = findSurplus(found, ledger);
    const wrongEvents = await settledEvents(person, ledger, patienceMs);
    for (const what of [...lost, ...surplus, ...wrongEvents]) caller.violate(1, what);
    await checkStats(options, person.account, mine);
    verdict.acknowledged += ledger.acknowledged.length;
    verdict.lost += lost.length;
    verdict.duplicated += surplus.length;
  }
  const { notified, duplicated } = await checkNotifications(options, entries, tasks);
  await checkAccounts(options, entries);
  await checkTransactions(options);
  return { ...verdict, notified, duplicated: verdict.duplicated + duplicated };
}
