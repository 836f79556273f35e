import { describe, expect, it } from '@jest/globals';
import { createClient, Code, ConnectError, type Transport } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { fileRegistry } from '#libs/contract';
import { waitUntil } from '#dev/cluster';
import { outcomeOf, tasks, useGateway, users } from './start-gateway.ts';

const gateway = useGateway();
const signedIn = () => ({ authorization: `Bearer ${gateway.token}` });
const getMe = () => gateway.post(`${users}/GetMe`, {}, signedIn());
const listTasks = () => gateway.post(`${tasks}/ListTasks`, {}, signedIn());

type Watch = (request: object, options: object) => AsyncIterable<unknown>;

function watch(): AsyncIterator<unknown> {
  const service = fileRegistry.getService('taskflow.tasks.v1.TasksService');
  if (service === undefined) throw new Error('the contract has no TasksService');
  const transport: Transport = createGrpcWebTransport({ baseUrl: gateway.url });
  const client = createClient(service, transport) as unknown as { watchTasks: Watch };
  return client.watchTasks({}, { headers: signedIn() })[Symbol.asyncIterator]();
}

/** Reads a stream to its end. */
async function endOf(stream: AsyncIterator<unknown>): Promise<ConnectError> {
  try {
    for (;;) if ((await stream.next()).done === true) throw new Error('the stream ended without an error');
  } catch (error) {
    return ConnectError.from(error);
  }
}

function reasonOf(error: ConnectError): unknown {
  const info = fileRegistry.getMessage('google.rpc.ErrorInfo');
  const [details] = info === undefined ? [] : error.findDetails(info);
  return (details as unknown as { reason: string } | undefined)?.reason;
}

describe('while a service is away', () => {
  it('its calls are UNAVAILABLE with a reason, those of others go on, and the gateway stays ready', async () => {
    const stream = watch();
    await stream.next();
    await gateway.cluster.kill('tasks', 'SIGKILL');
    const lost = await endOf(stream);
    expect([lost.code, reasonOf(lost)]).toEqual([Code.Unavailable, 'DEPENDENCY_UNAVAILABLE']);

    const { status, json } = await listTasks();
    expect([status, outcomeOf({ status, json })]).toEqual([503, 'unavailable/DEPENDENCY_UNAVAILABLE']);
    expect((await getMe()).status).toBe(200);
    expect((await fetch(`${gateway.cluster.httpAddress('gateway')}/readyz`)).status).toBe(200);

    await gateway.cluster.start('tasks');
    await waitUntil(listTasks, ({ status: now }) => now === 200);
  });
});

describe('what is seen from outside', () => {
  it('has the same log line and the same metrics as a call of a service', async () => {
    await gateway.post(`${users}/GetMe`, {}, { ...signedIn(), 'x-request-id': 'seen' });
    const line = await waitUntil(
      async () =>
        gateway.cluster
          .logs('gateway')
          .split('\n')
          .find((text) => text.includes('"seen"')),
      (found) => found !== undefined,
    );
    expect(JSON.parse(line ?? '')).toMatchObject({
      service: 'gateway',
      msg: 'call ended',
      method: `${users}/GetMe`,
      code: 'OK',
      peer: '127.0.0.1',
    });
    const metrics = await gateway.cluster.metrics('gateway');
    expect(metrics).toMatch(
      /grpc_server_handled_total\{method="[^"]*GetMe",code="OK",reason="",service="gateway"\} \d/,
    );
    expect(metrics).toMatch(/grpc_client_handled_total\{callee="users",/);
  });

  it('continues the trace of the client', async () => {
    const traceId = 'a'.repeat(32);
    const headers = { ...signedIn(), 'x-request-id': 'traced', traceparent: `00-${traceId}-${'b'.repeat(16)}-01` };
    await gateway.post(`${users}/GetMe`, {}, headers);
    for (const process of ['gateway', 'users'] as const) {
      const line = await waitUntil(
        async () =>
          gateway.cluster
            .logs(process)
            .split('\n')
            .find((text) => text.includes('"traced"')),
        (found) => found !== undefined,
      );
      expect(JSON.parse(line ?? '')).toMatchObject({ traceId });
    }
  });

  it('shows no token in the log', () => {
    expect(gateway.cluster.logs('gateway')).not.toContain(gateway.token.slice(0, 20));
  });
});

describe('the end of the gateway', () => {
  it('ends streams with SHUTTING_DOWN, lets calls end, and comes without waiting for idle connections', async () => {
    const stream = watch();
    await stream.next();
    const lost = endOf(stream);
    await gateway.cluster.kill('users', 'SIGSTOP');
    const call = getMe();
    await waitUntil(
      () => gateway.cluster.metrics('gateway'),
      (metrics) => /grpc_server_running\{method="[^"]*GetMe",service="gateway"\} 1/.test(metrics),
    );
    const stopped = gateway.cluster.kill('gateway', 'SIGTERM');
    expect([(await lost).code, reasonOf(await lost)]).toEqual([Code.Unavailable, 'SHUTTING_DOWN']);
    await gateway.cluster.kill('users', 'SIGCONT');
    expect((await call).status).toBe(200);
    await stopped;
    const log = gateway.cluster.logs('gateway');
    expect(log).toContain('"msg":"stopped"');
    expect(log).not.toContain('did not stop cleanly');
    await gateway.cluster.start('gateway');
    expect((await getMe()).status).toBe(200);
  });
});
