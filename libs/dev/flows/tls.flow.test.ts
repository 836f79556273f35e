import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { NotificationChannel } from '#contract/users/v1/users';
import { Webhook } from '#contract/scheduler/v1/notifications';
import { InternalTasksServiceService } from '#contract/tasks/v1/tasks';
import { isServing, readServiceKey, renewCertificates, serviceNames, waitUntil } from '#dev/cluster';
import { answering, startReceiver, verify, type Receiver } from '#dev/testing';
import { createServiceIdentity } from '#libs/identity';
import { openCertificates, type Certificates } from '#libs/runtime';
import { openStub, type CallError } from '#dev/stubs';
import { startSchedulerCluster, type SchedulerCluster } from '../../../services/scheduler/test/start-cluster.ts';

let service: SchedulerCluster;
let receiver: Receiver;

/** Connections live a second, so that certificates are shown again and again. */
beforeAll(async () => {
  receiver = await startReceiver('127.0.0.1');
  receiver.behave(answering(204));
  service = await startSchedulerCluster({
    tls: 'mutual',
    env: {
      TASKFLOW_SCHEDULER_SWEEP_INTERVAL_MS: '3600000',
      TASKFLOW_SCHEDULER_WEBHOOK_PRIVATE_TARGETS: '127.0.0.0/8',
      TASKFLOW_CONNECTION_AGE_MS: '1000',
    },
  });
});

afterAll(async () => {
  await service.stop();
  await receiver.close();
});

/** What goes through all four services: somebody registers, and their overdue task comes to the inbox and the webhook. */
async function bringOverdueTask(): Promise<void> {
  const ada = await service.newUser('Ada');
  await service.choose(ada, { channels: [NotificationChannel.INBOX, NotificationChannel.WEBHOOK] });
  const webhook = Webhook.fromPartial({ url: receiver.url });
  const { secret } = await service.notifications.createWebhook({ webhook }, ada.as);
  const [task] = await service.createOverdue(ada, 1);
  expect((await service.completedInbox(ada)).map(({ taskId }) => taskId)).toEqual([task?.id]);
  const ofTask = () => receiver.received.filter(({ message }) => message.data['task_id'] === task?.id);
  await waitUntil(ofTask, ({ length }) => length === 1);
  for (const one of ofTask()) verify(one, secret);
}

const noTask = '00000000-0000-7000-8000-000000000000';

/** How an internal call of tasks ends for somebody with the scheduler's service token. */
async function pullAsScheduler(certificates: Certificates | undefined): Promise<string> {
  const { cluster } = service;
  const privateKey = readServiceKey(cluster.dir, 'scheduler');
  const token = await createServiceIdentity({ service: 'scheduler', privateKey }).tokenFor('tasks');
  const client = openStub(InternalTasksServiceService, cluster.address('tasks'), { certificates });
  const call = client.batchGetTaskStates({ taskIds: [noTask] }, { metadata: { 'x-taskflow-service': token } });
  const outcome = await call.then(
    () => 'OK',
    (error: CallError) => String(error.reason),
  );
  client.close();
  return outcome;
}

function ownCertificates(name: string): Certificates {
  const folder = join(service.cluster.dir, 'certificates');
  const files = {
    certificate: join(folder, name, 'tls.crt'),
    key: join(folder, name, 'tls.key'),
    authorities: join(folder, 'ca.crt'),
  };
  const certificates = openCertificates({ mode: 'mutual', files });
  certificates.stop();
  return certificates;
}

const seedScript = new URL('../../../services/tasks/seed/main.ts', import.meta.url).pathname;

async function runSeed(env: Readonly<Record<string, string>>): Promise<{ code: unknown; text: string }> {
  const { cluster } = service;
  const addresses = serviceNames.map((name) => [`TASKFLOW_${name.toUpperCase()}_ADDRESS`, cluster.address(name)]);
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [seedScript],
      { env: { ...process.env, ...Object.fromEntries(addresses), ...env } },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, text: stdout + stderr }),
    );
  });
}

it('brings an overdue task to its owner and to a webhook, when all services prove their names', async () => {
  await bringOverdueTask();
});

it('lets nobody use a service token without the certificate of that service', async () => {
  expect(await pullAsScheduler(service.cluster.certificates)).toBe('CERTIFICATE_REQUIRED');
  expect(await pullAsScheduler(ownCertificates('users'))).toBe('CERTIFICATE_NOT_ALLOWED');
  expect(await pullAsScheduler(ownCertificates('scheduler'))).toBe('OK');
});

it('keeps probes as they were, in plaintext on their own port', async () => {
  for (const name of serviceNames)
    for (const path of ['/livez', '/readyz', '/metrics'])
      expect((await fetch(`${service.cluster.httpAddress(name)}${path}`)).status).toBe(200);
  const { certificates } = service.cluster;
  expect(await isServing(service.cluster.address('tasks'), { certificates, deadlineMs: 20_000 })).toBe(true);
});

it('is called by the programs of this checkout with the same settings', async () => {
  expect(await runSeed({})).toEqual({ code: 1, text: expect.stringContaining('nothing answers at') });
  expect(await runSeed(service.cluster.clientEnv)).toEqual({
    code: 0,
    text: expect.stringContaining('33 tasks added'),
  });
});

it('goes on without a failed call while the certificates of all services are replaced', async () => {
  const ada = await service.newUser('Ada');
  const failed: string[] = [];
  let [isOn, made] = [true, 0];
  const load = async (): Promise<void> => {
    while (isOn) {
      await service.tasks.listTasks({}, ada.as).catch((error: CallError) => void failed.push(error.message));
      made += 1;
    }
  };
  const running = Promise.all([load(), load(), load()]);
  await renewCertificates(service.cluster.dir);
  for (const name of serviceNames) await waitUntil(() => service.cluster.logs(name).includes('certificates replaced'));
  await bringOverdueTask();
  const enough = made + 100;
  await waitUntil(() => made > enough);
  isOn = false;
  await running;
  expect(failed).toEqual([]);
  for (const name of serviceNames) {
    const metrics = await service.cluster.metrics(name);
    expect(metrics).toMatch(/^taskflow_certificate_replacements_total\{outcome="taken".* 1$/m);
    expect(metrics).toMatch(/^taskflow_certificate_expiry_timestamp_seconds.* \d{10}/m);
  }
});
