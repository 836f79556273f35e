import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Webhook } from '#contract/scheduler/v1/notifications';
import { Task } from '#contract/tasks/v1/tasks';
import {
  forEachService,
  programOf,
  queryDatabase,
  serviceNames,
  startInfrastructure,
  waitUntil,
  type Infrastructure,
  type ServiceName,
} from '#dev/cluster';
import { openClients, type ClusterClients } from '../testing/src/cluster-clients.ts';
import { hasAnswered, repeatCalls } from './repeated-calls.ts';
import { startTestCluster, type Person, type TestCluster } from './test-cluster.ts';

const root = join(import.meta.dirname, '../../..');
const runNode = promisify(execFile);

let directory: string;
let infrastructure: Infrastructure;
let testCluster: TestCluster;
let ada: Person;
let clients: ClusterClients;
beforeAll(async () => {
  directory = mkdtempSync(join(process.env['TASKFLOW_TEST_DIR'] ?? tmpdir(), 'taskflow-rotation-'));
  infrastructure = await startInfrastructure();
  await makeSecrets();
  await provision();
  const replicas = forEachService(() => 2);
  const databaseUrls = forEachService((service) => newestOf(`${service}/database-url`));
  testCluster = await startTestCluster({
    copyDatabases: false,
    redisUrl: infrastructure.redisUrl,
    databaseUrls,
    replicas,
    serviceEnv: forEachService(secretsOf),
  });
  ada = await testCluster.register();
  clients = openClients(testCluster.cluster);
}, 300_000);
afterAll(async () => {
  clients?.close();
  await testCluster?.stop();
  await infrastructure?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const read = (path: string): string => readFileSync(join(directory, path), 'utf8').trim();
const newestOf = (path: string): string => read(path).split('\n')[0] ?? '';

/** The commands of rotating-secrets.md. */
async function makeSecrets(...options: string[]): Promise<void> {
  const { host } = new URL(infrastructure.postgresAdminUrl);
  await runNode(process.execPath, [join(root, 'deploy/secrets.ts'), directory, '--postgres', host, ...options]);
}

async function provision(): Promise<void> {
  const urls = serviceNames.map((service) => [
    `TASKFLOW_${service.toUpperCase()}_DATABASE_URL_FILE`,
    join(directory, service, 'database-url'),
  ]);
  const env = { ...Object.fromEntries(urls), TASKFLOW_ADMIN_DATABASE_URL: infrastructure.postgresAdminUrl };
  await runNode(process.execPath, [join(root, 'libs/db/bin/provision.ts')], { env });
}

/** As the manifests mount them. An empty value lets the cluster's own give way to a file. */
function secretsOf(service: ServiceName): Record<string, string> {
  const name = service.toUpperCase();
  const file = (path: string): string => join(directory, service, path);
  return {
    [`TASKFLOW_${name}_DATABASE_URL`]: '',
    [`TASKFLOW_${name}_DATABASE_URL_FILE`]: file('database-url'),
    TASKFLOW_SERVICE_KEY_FILE: file('service-key.json'),
    TASKFLOW_SERVICE_PUBLIC_KEYS_FILE: file('service-public-keys.json'),
    ...(service === 'auth' ? {} : { TASKFLOW_PAGE_TOKEN_KEY_FILE: file('page-token-key') }),
    ...(service === 'auth' || service === 'scheduler'
      ? { [`TASKFLOW_${name}_ENCRYPTION_KEY_FILE`]: file('encryption-key') }
      : {}),
  };
}

async function reencrypt(service: 'auth' | 'scheduler'): Promise<string> {
  const { script, execArgv, env } = await programOf(`services/${service}/src/reencrypt.ts`);
  const { stdout } = await runNode(process.execPath, [...execArgv, script], {
    env: { ...env, ...secretsOf(service), TASKFLOW_REDIS_URL: infrastructure.redisUrl },
  });
  return stdout;
}

const answering = 'RefreshSession|GetMe|ListTasks|RotateWebhookSecret';

/** One replica of every service at a time, each only when clients have found the one before. */
async function rollEveryService(): Promise<void> {
  for (const replica of [0, 1]) {
    await Promise.all(serviceNames.map((service) => testCluster.cluster.restart(service, replica)));
    await Promise.all(
      serviceNames.map((service) => waitUntil(() => hasAnswered(testCluster.cluster, service, replica, answering))),
    );
  }
}

/** How many keys have sealed what stands there: every value begins with its format and its key's id. */
async function sealersOf(service: ServiceName, table: string, column: string): Promise<string[]> {
  const rows = await queryDatabase<{ sealer: string }>(
    newestOf(`${service}/database-url`),
    `select distinct encode(substring(${column} for 5), 'hex') as sealer from ${table} where ${column} is not null order by 1`,
  );
  return rows.map(({ sealer }) => sealer);
}

describe('replacing every secret of a cluster under load', () => {
  it('fails no call, and leaves nothing behind that needs an old secret', async () => {
    const as = { token: ada.token };
    const { webhook } = await clients.notifications.createWebhook(
      { webhook: Webhook.fromPartial({ url: 'https://hooks.invalid/hook' }) },
      as,
    );
    for (let number = 0; number < 5; number += 1)
      await clients.tasks.createTask({ task: Task.fromPartial({ title: 'before' }) }, as);
    let { refreshToken } = ada;
    let pageToken = '';
    const working = repeatCalls({
      // Twice each: the second may meet another replica, with another newest key.
      RefreshSession: async () => {
        const { tokens } = await clients.auth.refreshSession({ refreshToken });
        const again = await clients.auth.refreshSession({ refreshToken });
        if (again.tokens?.refreshToken !== tokens?.refreshToken) throw new Error('another successor');
        refreshToken = tokens?.refreshToken ?? '';
      },
      ListTasks: async () => {
        ({ nextPageToken: pageToken } = await clients.tasks.listTasks({ pageSize: 1, pageToken }, as));
      },
      GetMe: () => clients.users.getMe({}, as),
      'CreateTask for somebody': () =>
        clients.tasks.createTask(
          { task: Task.fromPartial({ title: 'during', assigneeId: testCluster.admin.id }), requestId: randomUUID() },
          as,
        ),
      RotateWebhookSecret: async () => {
        const request = { webhookId: webhook?.id ?? '', requestId: randomUUID() };
        const one = await clients.notifications.rotateWebhookSecret(request, as);
        const two = await clients.notifications.rotateWebhookSecret(request, as);
        if (one.secret !== two.secret) throw new Error('another secret');
      },
    });
    const before = {
      authUrl: newestOf('auth/database-url'),
      signing: await sealersOf('auth', 'signing_keys', 'sealed_private_key'),
      webhooks: await sealersOf('scheduler', 'webhooks', 'secret'),
    };

    await makeSecrets('--rotate', 'next');
    await rollEveryService();
    await makeSecrets('--rotate', 'use');
    await provision();
    await rollEveryService();
    const reports = await Promise.all([reencrypt('auth'), reencrypt('scheduler')]);
    for (const report of reports) expect(report).toContain('everything is sealed under the first key');
    await makeSecrets('--rotate', 'retire');
    await rollEveryService();

    const calls = await working.stop();
    expect(working.failures).toEqual([]);
    expect(calls).toBeGreaterThan(50);
    await expect(queryDatabase(before.authUrl, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    const after = {
      signing: await sealersOf('auth', 'signing_keys', 'sealed_private_key'),
      webhooks: await sealersOf('scheduler', 'webhooks', 'secret'),
      previous: await sealersOf('scheduler', 'webhooks', 'previous_secret'),
      records: await sealersOf(
        'scheduler',
        `(select response from idempotency_records where method in ('CreateWebhook', 'RotateWebhookSecret')) r`,
        'response',
      ),
    };
    expect(after).toEqual({
      signing: [expect.any(String)],
      webhooks: [expect.any(String)],
      previous: after.webhooks,
      records: after.webhooks,
    });
    expect([after.signing, after.webhooks]).not.toEqual([before.signing, before.webhooks]);
  }, 600_000);
});
