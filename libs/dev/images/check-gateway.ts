// .ci/checks/images: calls services in JSON through a container of the gateway's image, run as Kubernetes runs it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFreePort, startCluster, startInfrastructure, waitUntil } from '#dev/cluster';

const podman = async (...args: string[]): Promise<string> => (await promisify(execFile)('podman', args)).stdout.trim();

/** As a pod has it: another user, a read-only root, no capabilities. */
const restricted = ['--network', 'host', '--read-only', '--cap-drop', 'all', '--user', '1000:1000'];

async function post(url: string, body: object, token = ''): Promise<{ status: number; json: unknown }> {
  const headers = { 'content-type': 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, json: await response.json() };
}

async function run(parts: AsyncDisposableStack, image: string): Promise<void> {
  const infrastructure = await startInfrastructure();
  parts.defer(() => infrastructure.stop());
  const { postgresAdminUrl, redisUrl } = infrastructure;
  const services = ['auth', 'users', 'tasks'] as const;
  const cluster = await startCluster({ postgresAdminUrl, redisUrl, ports: 'free', services });
  parts.defer(() => cluster.stop());

  const [calls, http] = [await findFreePort(), await findFreePort()];
  const settings = [
    `TASKFLOW_GATEWAY_RPC_PORT=${calls}`,
    `TASKFLOW_GATEWAY_HTTP_PORT=${http}`,
    ...services.map((service) => `TASKFLOW_${service.toUpperCase()}_ADDRESS=${cluster.address(service)}`),
    'TASKFLOW_SCHEDULER_ADDRESS=127.0.0.1:1',
  ].flatMap((setting) => ['--env', setting]);
  const container = await podman('run', '--detach', ...restricted, ...settings, image);
  parts.defer(async () => void (await podman('rm', '--force', '--time', '30', container)));

  const url = `http://127.0.0.1:${calls}`;
  const isReady = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${http}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil(isReady, Boolean, 30_000).catch(async (error: unknown) => {
    throw new Error(`the gateway is not ready: ${await podman('logs', container)}`, { cause: error });
  });
  await podman('exec', container, 'node', 'dist/deploy/healthcheck.js', 'live');

  const who = { email: 'ada@example.com', password: 'a long passphrase', displayName: 'Ada' };
  const registered = await post(`${url}/taskflow.auth.v1.AuthService/Register`, who);
  const { tokens } = registered.json as { tokens?: { accessToken: string } };
  const create = (title: string) =>
    post(`${url}/taskflow.tasks.v1.TasksService/CreateTask`, { task: { title } }, tokens?.accessToken);
  const created = await waitUntil(() => create('Water the plants'), { status: 200 });
  const refused = await create('');
  const away = await post(
    `${url}/taskflow.scheduler.v1.NotificationsService/ListNotifications`,
    {},
    tokens?.accessToken,
  );
  const seen = [created, refused, away].map(({ status, json }) => `${status} ${JSON.stringify(json)}`);
  const expected = [/^200 .*"title":"Water the plants"/, /^400 .*INVALID_FIELD/, /^503 .*DEPENDENCY_UNAVAILABLE/];
  if (!expected.every((pattern, index) => pattern.test(seen[index] ?? ''))) throw new Error(seen.join('\n'));
  console.log('the gateway: JSON calls through its container are answered, refused, and told that a service is away');
}

await using parts = new AsyncDisposableStack();
await run(parts, process.argv[2] ?? '');
