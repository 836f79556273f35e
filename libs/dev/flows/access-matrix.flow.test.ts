import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { policies, policyOf, serviceNames, type MethodPolicy, type ServiceName } from '#libs/contract';
import { processNames, waitUntil } from '#dev/cluster';
import { accessTable, registerPeople, type People, type Relation, type Row } from './access-table.ts';
import { callGateway } from './gateway-wire.ts';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { serviceOf, untilOutcome, type Credentials } from './wire.ts';

let testCluster: TestCluster;
let people: People;
let disabled: Person;
beforeAll(async () => {
  testCluster = await startTestCluster({ services: processNames });
  people = await registerPeople(testCluster);
  disabled = await testCluster.register();
  await disable(disabled);
});
afterAll(() => testCluster?.stop());

async function disable({ id, token }: Person): Promise<void> {
  const { error } = await testCluster.wire.call(
    '/taskflow.auth.v1.AuthService/DisableAccount',
    { accountId: id },
    { token: testCluster.admin.token },
  );
  if (error !== undefined) throw error;
  // Each service receives it separately.
  const calls = [
    'auth.v1.AuthService/ListSessions',
    'users.v1.UsersService/GetMe',
    'tasks.v1.TasksService/ListTasks',
    'scheduler.v1.NotificationsService/ListNotifications',
  ];
  for (const call of calls)
    await untilOutcome(
      () => testCluster.wire.call(`/taskflow.${call}`, {}, { token }),
      'UNAUTHENTICATED/TOKEN_INVALID',
    );
}

/** Somebody who calls: a user, a service, both at once, or nobody. */
interface Caller {
  relation?: Relation | 'disabled';
  service?: ServiceName;
}

const callers: Record<string, Caller> = {
  anonymous: {},
  owner: { relation: 'owner' },
  assignee: { relation: 'assignee' },
  other: { relation: 'other' },
  admin: { relation: 'admin' },
  disabled: { relation: 'disabled' },
  ...Object.fromEntries(serviceNames.map((service) => [service, { service }])),
  'scheduler for the owner': { relation: 'owner', service: 'scheduler' },
  'auth for an administrator': { relation: 'admin', service: 'auth' },
};

function personOf({ relation }: Caller): Person | undefined {
  if (relation === undefined) return undefined;
  return relation === 'disabled' ? disabled : people[relation];
}

/** What the contract says of a caller before the request is looked at; undefined: admitted. */
const refusals: Record<MethodPolicy['access'], (caller: Caller, policy: MethodPolicy) => string | undefined> = {
  public: () => undefined,
  user: ({ relation }) => {
    if (relation === undefined) return 'UNAUTHENTICATED/CREDENTIALS_MISSING';
    return relation === 'disabled' ? 'UNAUTHENTICATED/TOKEN_INVALID' : undefined;
  },
  admin: (caller, policy) =>
    refusals.user(caller, policy) ?? (caller.relation === 'admin' ? undefined : 'PERMISSION_DENIED/ADMIN_REQUIRED'),
  service: ({ service }, policy) => {
    if (service === undefined) return 'PERMISSION_DENIED/SERVICE_IDENTITY_REQUIRED';
    return policy.callers.includes(service) ? undefined : 'PERMISSION_DENIED/CALLER_NOT_ALLOWED';
  },
};

function expectedOf(policy: MethodPolicy, row: Row, caller: Caller): string {
  const refusal = refusals[policy.access](caller, policy);
  if (refusal !== undefined) return refusal;
  if (policy.access === 'service') return row.answers?.owner ?? 'OK';
  if (policy.access !== 'user') return 'OK';
  return row.answers?.[caller.relation as Relation] ?? 'the table says nothing about this';
}

interface Attempt {
  request: object;
  credentials: Credentials;
}

async function attemptOf(path: string, row: Row, caller: Caller): Promise<Attempt> {
  const person = personOf(caller);
  // A copy for calls that are refused: what they ask for does not happen.
  const known = person === undefined || person === disabled ? { ...people.owner } : person;
  return {
    request: await row.request({ testCluster, people, caller: known }),
    credentials: {
      token: person?.token,
      serviceToken: caller.service && (await testCluster.serviceToken(caller.service, serviceOf(path))),
    },
  };
}

/** The ways to call a method. */
const doors = {
  gRPC: async (path: string, { request, credentials }: Attempt) =>
    (await testCluster.wire.call(path, request, credentials)).outcome,
  gateway: async (path: string, { request, credentials }: Attempt) =>
    (await callGateway(testCluster.cluster.address('gateway'), path, request, credentials)).outcome,
} as const;

/** The gateway has no methods for services, and no service is known through it by its token. */
function expectedThrough(door: keyof typeof doors, policy: MethodPolicy, [row, caller]: [Row, Caller]): string {
  if (door === 'gRPC') return expectedOf(policy, row, caller);
  return policy.access === 'service' ? 'UNIMPLEMENTED/UNIMPLEMENTED' : expectedOf(policy, row, caller);
}

describe('B1: who may call what', () => {
  it('is laid down for every method of the contract and for no other', () => {
    expect([...accessTable.keys()].toSorted()).toEqual([...policies.keys()].toSorted());
  });

  it.each([...accessTable])('%s', async (path, row) => {
    const policy = policyOf(path);
    const expected: Record<string, string> = {};
    const actual: Record<string, string> = {};
    for (const [name, caller] of Object.entries(callers)) {
      for (const door of ['gRPC', 'gateway'] as const) {
        expected[`${name}, ${door}`] = expectedThrough(door, policy, [row, caller]);
        const attempt = await attemptOf(path, row, caller);
        // The export before it, which is not read to its end, may not have noticed that its reader has left.
        actual[`${name}, ${door}`] = await waitUntil(
          () => doors[door](path, attempt),
          (outcome) => !outcome.endsWith('/OVERLOADED'),
        );
      }
    }
    expect(actual).toEqual(expected);
  });
});
