import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queryDatabase, waitUntil } from '#dev/cluster';
import type { ListTasksResponse } from '#contract/tasks/v1/tasks';
import { User } from '#contract/users/v1/users';
import { newEmail, startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { untilRemoved } from './traces-of-people.ts';
import { untilOutcome } from './wire.ts';

let testCluster: TestCluster;
beforeAll(async () => {
  testCluster = await startTestCluster({
    env: { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}' },
    serviceEnv: { auth: { TASKFLOW_AUTH_DELETION_GRACE_MS: '0' } },
  });
}, 120_000);
afterAll(() => testCluster?.stop());

const auth = (method: string): string => `/taskflow.auth.v1.AuthService/${method}`;
const call = (method: string, request: object, { token }: Person) =>
  testCluster.wire.call(auth(method), request, { token });

async function must(method: string, request: object, person: Person): Promise<void> {
  const { error } = await call(method, request, person);
  if (error !== undefined) throw error;
}

const deleteOwn = (person: Person, successorId = ''): Promise<void> =>
  must('DeleteAccount', { currentPassword: person.password, successorId }, person);
const listOf = async ({ token }: Person): Promise<(string | undefined)[]> => {
  const { response } = await testCluster.wire.call('/taskflow.tasks.v1.TasksService/ListTasks', {}, { token });
  return (response as ListTasksResponse).tasks.map(({ id }) => id);
};

describe('B6: a successor who is named by e-mail', () => {
  const usersPath = (method: string): string => `/taskflow.users.v1.UsersService/${method}`;
  const name = (person: Person, successorEmail: string, fields: object = {}) =>
    call(
      'DeleteAccount',
      { currentPassword: person.password, successorEmail, requestId: randomUUID(), ...fields },
      person,
    );
  const allowFinding = async ({ id, token }: Person): Promise<void> => {
    const user = User.fromPartial({ id, discoverable: true });
    await testCluster.wire.call(usersPath('UpdateUser'), { user, updateMask: ['discoverable'] }, { token });
  };

  it('gets the tasks when FindUser finds them, and is else answered as an e-mail that nobody has', async () => {
    const [person, heir] = [await testCluster.register(), await testCluster.register()];
    const { id } = await testCluster.createTask(person);
    const find = () => testCluster.wire.call(usersPath('FindUser'), { email: heir.email }, { token: person.token });
    await untilOutcome(find, 'NOT_FOUND/USER_NOT_FOUND');
    const [hidden, nobody, own] = await Promise.all(
      [heir.email, newEmail(), person.email].map((email) => name(person, email)),
    );
    expect(hidden?.outcome).toBe('FAILED_PRECONDITION/SUCCESSOR_NOT_FOUND');
    for (const answer of [hidden, own]) expect(answer?.error?.details).toEqual(nobody?.error?.details);
    await allowFinding(heir);
    await untilOutcome(find);
    const both = await name(person, heir.email, { successorId: heir.id });
    expect(both.error?.details.violations?.map(({ field }) => field)).toEqual(['successor_id', 'successor_email']);
    expect((await name(person, heir.email.toUpperCase())).outcome).toBe('OK');
    await untilRemoved(testCluster.cluster, person.id);
    expect(await listOf(heir)).toEqual([id]);
  }, 300_000);

  it('is anybody when an administrator names them', async () => {
    const [person, heir] = [await testCluster.register(), await testCluster.register()];
    const { id } = await testCluster.createTask(person);
    const request = { accountId: person.id, successorEmail: heir.email };
    await untilOutcome(() => call('DeleteAccount', request, testCluster.admin));
    await untilRemoved(testCluster.cluster, person.id);
    expect(await listOf(heir)).toEqual([id]);
  }, 300_000);
});

describe('B6: without a grace period', () => {
  it('an account cannot be taken back, and is removed by itself', async () => {
    const person = await testCluster.register();
    await testCluster.createTask(person);
    await deleteOwn(person);
    const { email, password } = person;
    for (const method of ['Login', 'ReclaimAccount'])
      expect((await testCluster.wire.call(auth(method), { email, password })).outcome).toBe(
        'UNAUTHENTICATED/CREDENTIALS_INVALID',
      );
    await untilRemoved(testCluster.cluster, person.id);
    const left = await queryDatabase(
      testCluster.cluster.databaseUrl('tasks'),
      'select 1 from tasks where owner_id = $1',
      [person.id],
    );
    expect(left).toEqual([]);
    const { outcome } = await call('UndeleteAccount', { accountId: person.id }, testCluster.admin);
    expect(outcome).toBe('NOT_FOUND/USER_NOT_FOUND');
  }, 300_000);

  it('the tasks pass to the successor, and wait for one who is disabled', async () => {
    const [person, successor] = [await testCluster.register(), await testCluster.register()];
    const { id } = await testCluster.createTask(person, successor);
    await deleteOwn(person, successor.id);
    await must('DisableAccount', { accountId: successor.id }, testCluster.admin);
    const waits = `"accountId":"${person.id}"`;
    await waitUntil(
      () => {
        const lines = testCluster.cluster.logs('auth').split('\n');
        return lines.some((line) => line.includes(waits) && line.includes('its successor is missing or disabled'));
      },
      Boolean,
      200_000,
    );
    const metrics = await (await fetch(`${testCluster.cluster.httpAddress('auth')}/metrics`)).text();
    expect(metrics).toMatch(/^taskflow_account_removals_waiting(\{.*\})? 1$/m);
    const begun = await queryDatabase(
      testCluster.cluster.databaseUrl('auth'),
      'select 1 from account_deletions where account_id = $1',
      [person.id],
    );
    expect(begun).toEqual([]);
    await must('EnableAccount', { accountId: successor.id }, testCluster.admin);
    await untilRemoved(testCluster.cluster, person.id);
    const { token } = await testCluster.openSession(successor);
    await untilOutcome(() => testCluster.wire.call('/taskflow.tasks.v1.TasksService/ListTasks', {}, { token }));
    expect(await listOf({ ...successor, token })).toEqual([id]);
  }, 400_000);

  it('a successor who is removed first loses nobody their tasks: an administrator names another one', async () => {
    const [person, successor, heir] = [
      await testCluster.register(),
      await testCluster.register(),
      await testCluster.register(),
    ];
    const { id } = await testCluster.createTask(person);
    await deleteOwn(person, successor.id);
    await deleteOwn(successor);
    await untilRemoved(testCluster.cluster, successor.id);
    await must('DeleteAccount', { accountId: person.id, successorEmail: heir.email }, testCluster.admin);
    await untilRemoved(testCluster.cluster, person.id);
    expect(await listOf(heir)).toEqual([id]);
  }, 400_000);
});
