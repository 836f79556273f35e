import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Task } from '#contract/tasks/v1/tasks';
import { User, type FindUserResponse, type ListUsersResponse } from '#contract/users/v1/users';
import { waitUntil } from '#dev/cluster';
import { startOtlpReceiver, type OtlpReceiver } from '#dev/testing';
import { createRandom } from '../testing/src/random.ts';
import { newEmail, startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { untilOutcome, type Answer } from './wire.ts';

const nobody = 'NOT_FOUND/USER_NOT_FOUND';
const usersPath = (method: string): string => `/taskflow.users.v1.UsersService/${method}`;
const tasksPath = (method: string): string => `/taskflow.tasks.v1.TasksService/${method}`;

let testCluster: TestCluster;
let traces: OtlpReceiver;
beforeAll(async () => {
  traces = await startOtlpReceiver();
  testCluster = await startTestCluster({
    services: ['auth', 'users', 'tasks'],
    env: {
      TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}',
      TASKFLOW_OTLP_ENDPOINT: traces.url,
      TASKFLOW_TRACE_RATIO: '0',
    },
  });
});
afterAll(async () => {
  await testCluster?.stop();
  await traces?.stop();
});

const call = (path: string, request: object, { token }: Person, metadata?: Record<string, string>): Promise<Answer> =>
  testCluster.wire.call(path, request, { token, ...(metadata && { metadata }) });

async function must(path: string, request: object, person: Person): Promise<unknown> {
  const { outcome, response } = await call(path, request, person);
  expect(outcome).toBe('OK');
  return response;
}

const find = (caller: Person, email: string): Promise<Answer> => call(usersPath('FindUser'), { email }, caller);
/** Whom the caller finds by an e-mail, by id; or why nobody. */
const found = async (caller: Person, email: string): Promise<string> => {
  const { outcome, response } = await find(caller, email);
  return (response as FindUserResponse | undefined)?.user?.id ?? outcome;
};
const choose = (person: Person, discoverable: boolean | undefined) =>
  must(
    usersPath('UpdateUser'),
    { user: User.fromPartial({ id: person.id, discoverable }), updateMask: ['discoverable'] },
    person,
  );
const reassign = (owner: Person, taskId: string, assigneeId: string) =>
  must(
    tasksPath('UpdateTask'),
    { task: Task.fromPartial({ id: taskId, assigneeId }), updateMask: ['assignee_id'] },
    owner,
  );
const remove = (owner: Person, taskId: string) => must(tasksPath('DeleteTask'), { taskId }, owner);

/** Until the directory has heard of it. */
async function disable({ id, email }: Person): Promise<void> {
  await must('/taskflow.auth.v1.AuthService/DisableAccount', { accountId: id }, testCluster.admin);
  await waitUntil(async () => {
    const listed = await must(usersPath('ListUsers'), { query: email, enabled: false }, testCluster.admin);
    return (listed as ListUsersResponse).users.length === 1;
  });
}

describe('a person', () => {
  it('is found by those who own a task of theirs, and finds them, as long as it is so', async () => {
    const [ada, bob] = [await testCluster.register(), await testCluster.register()];
    const both = () => Promise.all([found(ada, bob.email), found(bob, ada.email)]);
    expect(await both()).toEqual([nobody, nobody]);
    const [first, second] = [await testCluster.createTask(ada, bob), await testCluster.createTask(ada, bob)];
    expect(await both()).toEqual([bob.id, ada.id]);
    await reassign(ada, first.id, '');
    expect(await both()).toEqual([bob.id, ada.id]);
    await remove(ada, second.id);
    expect(await both()).toEqual([nobody, nobody]);
  });

  it('is shown with id and name only', async () => {
    const person = await testCluster.register();
    await choose(person, true);
    const { response } = await find(await testCluster.register(), person.email);
    expect(response).toEqual({ user: { id: person.id, displayName: 'Ada', enabled: true, serviceAccount: false } });
  });

  it('is not found any more from the moment at which the setting is off, while it is asked for', async () => {
    const [person, caller] = [await testCluster.register(), await testCluster.register()];
    for (let round = 0; round < 10; round += 1) {
      await choose(person, true);
      expect(await found(caller, person.email)).toBe(person.id);
      const during = Array.from({ length: 8 }, () => found(caller, person.email));
      await choose(person, false);
      expect(await found(caller, person.email)).toBe(nobody);
      for (const answer of await Promise.all(during)) expect([person.id, nobody]).toContain(answer);
    }
  });
});

describe('somebody who may not be found', () => {
  let caller: Person;
  let hidden: Person;
  let gone: Person;
  beforeAll(async () => {
    [caller, hidden, gone] = [await testCluster.register(), await testCluster.register(), await testCluster.register()];
    await choose(gone, true);
    await disable(gone);
  });

  /** Calls with one tracing id; gives all that the caller sees, and what the services did for it. */
  async function watch(path: string, request: object, last: readonly string[]) {
    const traceId = randomBytes(16).toString('hex');
    const metadata = {
      'x-request-id': 'the-same-one',
      traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
    };
    const { error } = await call(path, request, caller, metadata);
    const work = () =>
      traces.spans
        .filter((span) => span.traceId === traceId)
        .map(({ service, kind, name }) => `${service} ${kind} ${name.replace(/^taskflow\..*\//, '')}`)
        // Names of people are remembered for some seconds, and Redis may be too slow to be asked.
        .filter((name) => !/ (BatchGetUsers|profile-summaries|mget|set|evalsha)$/i.test(name))
        .toSorted();
    // A span is sent when it has ended, after those within it.
    await waitUntil(() => last.every((name) => work().includes(name)));
    return { seen: [error?.code, error?.message, error?.statusBytes?.toString('hex')], work: work() };
  }

  const search = (email: string) =>
    watch(usersPath('FindUser'), { email }, ['users 2 FindUser', 'tasks 2 BatchCheckSharing']);
  const assign = (assigneeEmail: string) =>
    watch(tasksPath('CreateTask'), { task: Task.fromPartial({ title: 'x' }), assigneeEmail }, [
      'tasks 1 group commit',
      'tasks 2 CreateTask',
      'tasks 3 ROLLBACK',
      'users 2 BatchFindUsers',
    ]);

  it.each([
    [
      'FindUser',
      search,
      [
        'tasks 2 BatchCheckSharing',
        'tasks 3 find_sharing',
        'users 2 FindUser',
        'users 3 BatchCheckSharing',
        'users 3 profile-find-by-emails',
      ],
    ],
    [
      'CreateTask',
      assign,
      [
        'tasks 1 group commit',
        'tasks 2 CreateTask',
        'tasks 3 BEGIN',
        'tasks 3 BatchFindUsers',
        'tasks 3 ROLLBACK',
        'tasks 3 find_sharing',
        'users 2 BatchFindUsers',
        'users 3 profile-find-by-emails',
      ],
    ],
  ] as const)(
    'is answered by %s like nobody: the same bytes, after the same calls and statements',
    async (_, ask, work) => {
      // Whatever is prepared once is prepared.
      await ask(newEmail());
      const unknown = await ask(newEmail());
      expect(unknown.work).toEqual(work);
      for (const email of [hidden.email, gone.email, 'not an e-mail at all']) expect(await ask(email)).toEqual(unknown);
    },
  );
});

it('finds exactly those whom the rule allows, of random people, settings and tasks', async () => {
  const random = createRandom(process.env['TEST_SEED'] ?? 'people');
  const people = await Promise.all(Array.from({ length: 7 }, () => testCluster.register()));
  const callers = [...people, testCluster.admin];
  const discoverable = new Map<string, boolean>();
  const disabled = new Set<string>();
  let shared: { taskId: string; owner: Person; assignee: string }[] = [];

  const steps = [
    async () => {
      const [person, chosen] = [random.pick(enabled()), random.pick([true, false, undefined])];
      await choose(person, chosen);
      discoverable.set(person.id, chosen ?? false);
    },
    async () => {
      const [owner, assignee] = [random.pick(enabled()), random.pick(enabled())];
      const { id: taskId } = await testCluster.createTask(owner, assignee);
      shared.push({ taskId, owner, assignee: assignee.id });
    },
    async () => {
      const task = shared.find(({ owner }) => !disabled.has(owner.id));
      if (task === undefined) return;
      await remove(task.owner, task.taskId);
      shared = shared.filter((other) => other !== task);
    },
  ];
  const enabled = (): Person[] => people.filter(({ id }) => !disabled.has(id));
  const mayFind = (caller: Person, person: Person): boolean =>
    !disabled.has(person.id) &&
    (caller === testCluster.admin ||
      caller.id === person.id ||
      discoverable.get(person.id) === true ||
      shared.some(({ owner, assignee }) =>
        [`${owner.id} ${assignee}`, `${assignee} ${owner.id}`].includes(`${caller.id} ${person.id}`),
      ));

  for (let round = 0; round < 4; round += 1) {
    for (let step = 0; step < 8; step += 1) await random.pick(steps)();
    for (const caller of callers.filter(({ id }) => !disabled.has(id))) {
      const answers = await Promise.all(people.map(({ email }) => found(caller, email)));
      expect(answers).toEqual(people.map((person) => (mayFind(caller, person) ? person.id : nobody)));
      expect(await found(caller, newEmail())).toBe(nobody);
    }
    const last = enabled().at(-1);
    if (last !== undefined) await disable(last);
    if (last !== undefined) disabled.add(last.id);
  }
});

it.each([
  ['dead', 'SIGKILL'],
  ['frozen', 'SIGSTOP'],
] as const)('finds, while tasks is %s, those who allow it, and does not tell who else is there', async (_, signal) => {
  const [caller, open, hidden] = await Promise.all([1, 2, 3].map(() => testCluster.register()));
  if (caller === undefined || open === undefined || hidden === undefined) throw new Error('nobody came');
  await choose(open, true);
  await testCluster.cluster.kill('tasks', signal);
  try {
    expect(await found(caller, open.email)).toBe(open.id);
    expect(await found(caller, caller.email)).toBe(caller.id);
    expect(await found(testCluster.admin, hidden.email)).toBe(hidden.id);
    for (const email of [hidden.email, newEmail()]) {
      const { error } = await find(caller, email);
      expect(['unavailable', 'deadline_exceeded']).toContain(error?.kind);
      expect(['DEPENDENCY_UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CIRCUIT_OPEN']).toContain(error?.reason);
    }
  } finally {
    await (signal === 'SIGSTOP' ? testCluster.cluster.kill('tasks', 'SIGCONT') : testCluster.cluster.start('tasks'));
  }
  await untilOutcome(() => find(caller, hidden.email), nobody);
});
