import { waitUntil, type ServiceName } from '#dev/cluster';
import { judgeHistory } from '../effects/judge-history.ts';
import type { Fault } from '../effects/fault.ts';
import type { Clients } from './clients.ts';
import { freezeAt } from './freeze.ts';
import type { CrashTestCluster } from './crash-test-cluster.ts';

/** A safeguard that is switched off, and how the crash test has to notice. */
export interface Mutant {
  name: string;
  /** From the checkout's root. */
  file: string;
  /** Stands there exactly once. */
  find: string;
  replace: string;
  /** Whose processes run with it. */
  services: readonly ServiceName[];
  /** Does what only the safeguard keeps without consequence; returns faults that the present state alone does not show. */
  provoke(testCluster: CrashTestCluster): Promise<() => Promise<Fault[]>>;
  /** The fault that it must lead to. */
  kind: Fault['kind'];
  fault: RegExp;
}

const giveUpAfterMs = 60_000;
const nothingMore = async (): Promise<Fault[]> => [];

const provokeBy =
  (act: (clients: Clients) => Promise<unknown>): Mutant['provoke'] =>
  async ({ clients }) => {
    await act(clients);
    return nothingMore;
  };

const sendTwins = provokeBy((clients) => clients.createTask({ twin: true }));
const breakRules = provokeBy((clients) => clients.breakRules());
const createAssigned = provokeBy((clients) => clients.createTask({ assigned: true }));
const advance = provokeBy(async (clients) => clients.advance(await clients.createTask()));
const peep = provokeBy(async (clients) => clients.peep(await clients.createTask()));

/** A worker stands still before it records a delivery, another one delivers, and the first goes on. */
async function comeBackLate(testCluster: CrashTestCluster): Promise<() => Promise<Fault[]>> {
  const { clients, facts } = testCluster;
  let created: ReturnType<typeof clients.createTask> | undefined;
  const frozen = await freezeAt(testCluster, 'deliver.before-record', () => (created = clients.createTask()));
  await testCluster.flushRedis();
  await created;
  await waitUntil(
    () => facts.countPending(),
    (count) => count === 0,
    giveUpAfterMs,
  );
  const before = await testCluster.read();
  await frozen.thaw();
  return async () => judgeHistory(before, await testCluster.read());
}

/** Longer than an idle outbox waits before it looks, shorter than a call of it may take. */
const outboxLooksMs = 3_500;

/** Users stands still while an account is handed over: another process must not try it meanwhile. */
async function registerWhileUsersHangs({ cluster, clients, facts }: CrashTestCluster): Promise<typeof nothingMore> {
  const attempts = async (): Promise<number> =>
    Number(
      (await facts.query<{ max: string }>('auth', 'select coalesce(max(attempts), 0) as max from outbox'))[0]?.max,
    );
  await cluster.kill('users', 'SIGSTOP');
  try {
    await clients.registerAnother();
    await waitUntil(attempts, (count) => count > 1, outboxLooksMs).catch(() => undefined);
  } finally {
    await cluster.kill('users', 'SIGCONT');
  }
  return nothingMore;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'idempotency is off',
    file: 'libs/db/src/unit-of-work.ts',
    find: "if (once === undefined || once.idempotencyKey === '') {",
    replace: 'if (once !== null) {',
    services: ['tasks'],
    provoke: sendTwins,
    kind: 'surplus',
    fault: /^events of call \S+ \(acknowledged\): 2 where at most 1/,
  },
  {
    name: 'what is only tried is committed',
    file: 'libs/db/src/unit-of-work.ts',
    find: "runOnce({ work, once, end: 'rollback' })",
    replace: "runOnce({ work, once, end: 'commit' })",
    services: ['tasks'],
    provoke: breakRules,
    kind: 'surplus',
    fault: /^events of call \S+ \(refused\): 1 where at most 0/,
  },
  {
    name: 'the sweep does not mark',
    file: 'services/tasks/src/db/overdue-sweep.ts',
    find: 'update task_due set overdue_time = now()',
    replace: 'update task_due set overdue_time = null',
    services: ['tasks'],
    provoke: createAssigned,
    kind: 'surplus',
    fault: /^overdue events of task and due version \S+ \d+: \d+ where at most 1/,
  },
  {
    name: 'everybody may see a task',
    file: 'services/tasks/src/domain/task-access.ts',
    find: "if (person.role === 'admin') return true;",
    replace: 'return true;',
    services: ['tasks'],
    provoke: peep,
    kind: 'leaked',
    fault: / saw task \S+ of somebody else through GetTask$/,
  },
  {
    name: 'the record of whom an event concerns forgets the assignee',
    file: 'services/tasks/src/domain/task-audience.ts',
    find: 'flatMap((task) => [task?.projectId, task?.ownerId, task?.assigneeId])',
    replace: 'flatMap((task) => [task?.projectId, task?.ownerId])',
    services: ['tasks'],
    provoke: createAssigned,
    kind: 'lost',
    fault: /^event \d+ of task \S+ is not on record for /,
  },
  {
    name: 'people are notified of what they did themselves',
    file: 'services/scheduler/src/domain/notifications/notification-rules.ts',
    find: 'const isNews = (recipientId: string) => recipientId !== actor;',
    replace: 'const isNews = () => true;',
    services: ['scheduler'],
    provoke: advance,
    kind: 'leaked',
    fault: /^event \d+ of task \S+ made a notification \S+ STATUS_CHANGED, which is not due/,
  },
  {
    name: 'a late worker is not fenced off',
    file: 'services/scheduler/src/db/notifications/delivery.repository.ts',
    find: "n.id = any ($1::uuid[]) and n.state = 'pending' and n.event_id is not null",
    replace: 'n.id = any ($1::uuid[]) and n.event_id is not null',
    services: ['scheduler'],
    provoke: comeBackLate,
    kind: 'surplus',
    fault: /^notification \S+ was delivered a second time/,
  },
  {
    name: 'the outbox takes no lease',
    file: 'libs/events/src/outbox.ts',
    find: "set attempts = attempts + 1, next_attempt_time = clock_timestamp() + $3 * interval '1 millisecond'",
    replace: "set attempts = attempts + 1, next_attempt_time = clock_timestamp() + $3 * interval '0 millisecond'",
    services: ['auth'],
    provoke: registerWhileUsersHangs,
    kind: 'surplus',
    fault: /^times that the account of call \S+ was handed over to users: \d+ where at most 1/,
  },
];
