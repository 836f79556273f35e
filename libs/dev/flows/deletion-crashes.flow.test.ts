import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServiceName } from '#libs/contract';
import { programOf, queryDatabase, waitUntil } from '#dev/cluster';
import { newEmail, startTestCluster, type Person, type TestCluster } from './test-cluster.ts';
import { findInDatabases, letGraceRunOut, untilRemoved } from './traces-of-people.ts';

const ordersFile = join(process.env['TASKFLOW_TEST_DIR'] ?? '', `deletion-orders-${process.pid}`);

let testCluster: TestCluster;
beforeAll(async () => {
  testCluster = await startTestCluster({
    env: { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}', TASKFLOW_CRASH_FILE: ordersFile },
  });
}, 120_000);
afterAll(async () => {
  rmSync(ordersFile, { force: true });
  await testCluster?.stop();
});

const rowsOf = (service: ServiceName, text: string, ...values: unknown[]): Promise<unknown[]> =>
  queryDatabase(testCluster.cluster.databaseUrl(service), text, values);

async function must(path: string, request: object, { token }: Person): Promise<void> {
  const { error } = await testCluster.wire.call(path, request, { token });
  if (error !== undefined) throw error;
}

/** A person with tasks of their own, of others, and a webhook. */
async function newPerson(friend: Person): Promise<Person> {
  const person = await testCluster.register();
  await testCluster.createTask(person, friend);
  await testCluster.createTask(friend, person);
  await testCluster.createTask(person);
  await testCluster.createWebhook(person);
  await must('/taskflow.auth.v1.AuthService/ChangeEmail', changeOfEmail(person), person);
  return person;
}

const changeOfEmail = ({ password }: Person): object => ({ currentPassword: password, newEmail: newEmail() });

/** Waits until the only process of a service has died at its point, and starts it again. */
async function restartAfterDeath(service: ServiceName): Promise<void> {
  const { cluster } = testCluster;
  await waitUntil(() => cluster.pid(service) === undefined, Boolean, 240_000);
  await cluster.start(service);
  // The calls of auth that were being made when it died are due again when their leases have run out.
  await rowsOf('auth', 'update outbox set next_attempt_time = clock_timestamp() where attempts > 0');
}

/** Keeps rows of the person; the answer puts them back as an older backup would. */
async function copyRows({ id }: Person): Promise<() => Promise<void>> {
  const tables: [ServiceName, string, string][] = [
    ['tasks', 'tasks', 'owner_id'],
    ['users', 'profiles', 'id'],
    ['scheduler', 'webhooks', 'owner_id'],
  ];
  for (const [service, table, column] of tables)
    await rowsOf(service, `create table kept_${table} as select * from ${table} where ${column} = '${id}'`);
  return async () => {
    for (const [service, table] of tables) {
      const columns = `select string_agg(column_name, ', ') as list from information_schema.columns
        where table_name = '${table}' and is_generated = 'NEVER'`;
      const [row] = (await rowsOf(service, columns)) as { list: string }[];
      await rowsOf(service, `insert into ${table} (${row?.list}) select ${row?.list} from kept_${table}`);
      await rowsOf(service, `drop table kept_${table}`);
    }
    await rowsOf('users', 'delete from removed_users');
  };
}

const run = promisify(execFile);

/** What deploy/backup-and-restore.md has run. */
async function afterRestoreOfAuth(): Promise<void> {
  const { script, execArgv, env } = await programOf('services/auth/src/after-restore.ts');
  const TASKFLOW_AUTH_DATABASE_URL = testCluster.cluster.databaseUrl('auth');
  await run(process.execPath, [...execArgv, script], { env: { ...env, TASKFLOW_AUTH_DATABASE_URL } });
}

/** What is left of the person in any table, apart from ids that tell what others have to know. */
async function leftOf({ id, email }: Person): Promise<string[]> {
  const tables: [ServiceName, string, string][] = [
    ['tasks', 'tasks', 'owner_id'],
    ['tasks', 'tasks', 'assignee_id'],
    ['tasks', 'task_due', 'owner_id'],
    ['tasks', 'event_audience', 'user_id'],
    ['tasks', 'idempotency_records', 'user_id'],
    ['users', 'profiles', 'id'],
    ['users', 'idempotency_records', 'user_id'],
    ['scheduler', 'notifications', 'recipient_id'],
    ['scheduler', 'webhooks', 'owner_id'],
    ['scheduler', 'mails', 'recipient_id'],
    ['auth', 'accounts', 'id'],
    ['auth', 'sessions', 'account_id'],
    ['auth', 'mails', 'account_id'],
  ];
  const left: string[] = [];
  for (const [service, table, column] of tables)
    if ((await rowsOf(service, `select 1 from ${table} where ${column}::text = $1`, id)).length > 0)
      left.push(`${service}: ${table}.${column}`);
  return [...left, ...(await findInDatabases(testCluster.cluster, [email]))];
}

/** Of tasks that the person has given to the friend. */
const titlesToldTo = (friend: Person, person: Person): Promise<unknown[]> =>
  rowsOf(
    'scheduler',
    `select 1 from notifications where recipient_id = $1 and actor = $2 and task_title <> ''`,
    friend.id,
    person.id,
  );

describe('B6: a removal after which a database was put back', () => {
  it('is carried out again by after-restore of auth', async () => {
    const { cluster } = testCluster;
    const friend = await testCluster.register();
    const person = await newPerson(friend);
    const back = await copyRows(person);
    await must('/taskflow.auth.v1.AuthService/DeleteAccount', { currentPassword: person.password }, person);
    await letGraceRunOut(cluster, person.id);
    await untilRemoved(cluster, person.id);
    await back();
    expect(await leftOf(person)).toEqual(expect.arrayContaining(['tasks: tasks.owner_id', 'users: profiles.id']));
    await afterRestoreOfAuth();
    await untilRemoved(cluster, person.id);
    expect(await leftOf(person)).toEqual([]);
  }, 400_000);
});

describe('B6: a removal during which a service is killed', () => {
  it.each([
    ['auth', 'removal.after-begin'],
    ['tasks', 'delete-user-tasks.before-commit'],
    ['tasks', 'delete-user-tasks.after-commit'],
    ['auth', 'removal.after-step.tasks'],
    ['scheduler', 'delete-user-notifications.before-commit'],
    ['scheduler', 'delete-user-notifications.after-commit'],
    ['scheduler', 'forget-removed-tasks.before-commit'],
    ['auth', 'removal.after-step.notifications'],
    ['users', 'delete-profile.before-commit'],
    ['users', 'delete-profile.after-commit'],
    ['auth', 'removal.after-step.profile'],
    ['auth', 'removal.after-step.late_tasks'],
    ['auth', 'removal.after-step.late_notifications'],
    ['auth', 'removal.before-commit'],
    ['auth', 'removal.after-commit'],
    ['auth', 'outbox.after-call.remove-account'],
  ] as const)(
    '%s at %s: it ends, and nothing is left',
    async (service, point) => {
      const { cluster } = testCluster;
      const friend = await testCluster.register();
      const person = await newPerson(friend);
      await waitUntil(
        () => titlesToldTo(friend, person),
        (told) => told.length === 1,
      );
      await must('/taskflow.auth.v1.AuthService/DeleteAccount', { currentPassword: person.password }, person);
      writeFileSync(ordersFile, point);
      await letGraceRunOut(cluster, person.id);
      await restartAfterDeath(service);
      await untilRemoved(cluster, person.id);
      await waitUntil(
        () => rowsOf('auth', `select 1 from outbox where kind = 'remove-account'`),
        (entries) => entries.length === 0,
      );
      await waitUntil(
        () => titlesToldTo(friend, person),
        (told) => told.length === 0,
      );
      expect(await leftOf(person)).toEqual([]);
      expect(await rowsOf('tasks', 'select 1 from tasks where owner_id = $1', friend.id)).toHaveLength(1);
    },
    400_000,
  );
});
