import { beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { createConnectTransport as createHttp2Transport } from '@connectrpc/connect-node';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { fileRegistry } from '#libs/contract';
import { checkoutRoot, waitUntil } from '#dev/cluster';
import { useGateway } from './start-gateway.ts';

const gateway = useGateway();

type Client = Record<string, (request: object, options?: object) => Promise<Record<string, unknown>>>;
type StreamClient = Record<string, (request: object, options?: object) => AsyncIterable<Record<string, unknown>>>;

function clientOf(service: string, transport: Transport): Client & StreamClient {
  const found = fileRegistry.getService(service);
  if (found === undefined) throw new Error(`the contract has no ${service}`);
  return createClient(found, transport) as unknown as Client & StreamClient;
}

const transports: Record<string, () => Transport> = {
  'Connect in JSON': () => createConnectTransport({ baseUrl: gateway.url }),
  'Connect in JSON, reads by GET': () => createConnectTransport({ baseUrl: gateway.url, useHttpGet: true }),
  'Connect in protobuf': () => createConnectTransport({ baseUrl: gateway.url, useBinaryFormat: true }),
  'gRPC-Web': () => createGrpcWebTransport({ baseUrl: gateway.url }),
  'gRPC-Web in JSON': () => createGrpcWebTransport({ baseUrl: gateway.url, useBinaryFormat: false }),
  'Connect over HTTP/2': () => createHttp2Transport({ baseUrl: gateway.url, httpVersion: '2' }),
};

/** The running calls of a method in tasks. */
async function running(method: string): Promise<number> {
  const line = (await gateway.cluster.metrics('tasks'))
    .split('\n')
    .find((text) => text.startsWith('grpc_server_running{') && text.includes(`/${method}"`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const signedIn = () => ({ headers: { authorization: `Bearer ${gateway.token}` } });

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => Promise.reject(new Error('the call should have failed')),
    (error: unknown) => ConnectError.from(error),
  );
}

describe.each(Object.keys(transports))('a client that speaks %s', (name) => {
  let client: Client & StreamClient;
  let auth: Client;
  beforeAll(() => {
    const transport = (transports[name] as () => Transport)();
    client = clientOf('taskflow.tasks.v1.TasksService', transport);
    auth = clientOf('taskflow.auth.v1.AuthService', transport);
  });

  it('changes and reads', async () => {
    const { task } = await (client['createTask'] as Client[string])({ task: { title: 'ä ✓' } }, signedIn());
    const { id } = task as { id: string };
    expect(await (client['getTask'] as Client[string])({ taskId: id }, signedIn())).toMatchObject({
      task: { id, title: 'ä ✓' },
    });
  });

  it('gets code, message and details of an error as the service sent them', async () => {
    const error = await failure((client['getTask'] as Client[string])({ taskId: 'nothing' }, signedIn()));
    const info = fileRegistry.getMessage('google.rpc.BadRequest');
    const [details] = info === undefined ? [] : error.findDetails(info);
    expect(error.code).toBe(Code.InvalidArgument);
    expect(details).toMatchObject({ fieldViolations: [{ field: 'task_id' }] });
    const unknown = await failure(
      (auth['login'] as Client[string])({ email: `${randomUUID()}@example.com`, password: 'long enough' }),
    );
    expect(unknown.code).toBe(Code.Unauthenticated);
  });

  it('watches, and the service hears when it leaves', async () => {
    const gone = new AbortController();
    const watch = (client['watchTasks'] as StreamClient[string])({}, { ...signedIn(), signal: gone.signal });
    const messages = watch[Symbol.asyncIterator]();
    const first = await messages.next();
    expect(first.done).toBe(false);
    await waitUntil(
      () => running('WatchTasks'),
      (count) => count === 1,
    );
    const created = (client['createTask'] as Client[string])({ task: { title: 'seen at once' } }, signedIn());
    const seen: unknown[] = [];
    for (let message = await messages.next(); ; message = await messages.next()) {
      seen.push(message.value);
      if (
        JSON.stringify(message.value, (_key, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        ).includes('seen at once')
      )
        break;
    }
    await created;
    gone.abort();
    await waitUntil(
      () => running('WatchTasks'),
      (count) => count === 0,
    );
  });
});

describe('buf curl', () => {
  const curl = (protocol: string, path: string, data: string): Promise<string> =>
    new Promise((resolve) => {
      const args = ['curl', '--protocol', protocol, '--schema', '../libs/contract/src/gen/descriptors.binpb'];
      const rest = ['-H', `authorization: Bearer ${gateway.token}`, '-d', data, `${gateway.url}${path}`];
      execFile(
        `${checkoutRoot}/node_modules/.bin/buf`,
        [...args, ...rest],
        { cwd: `${checkoutRoot}/proto` },
        (_error, stdout, stderr) => resolve(stdout + stderr),
      );
    });

  it.each(['connect', 'grpcweb'])('gets an answer and an error over %s', async (protocol) => {
    expect(await curl(protocol, '/taskflow.users.v1.UsersService/GetMe', '{}')).toContain('"displayName": "Ada"');
    expect(await curl(protocol, '/taskflow.tasks.v1.TasksService/GetTask', '{"taskId": "x"}')).toContain(
      'invalid: task_id',
    );
  });
});

describe('a deadline', () => {
  const ask = (timeout: string) =>
    gateway.post('/taskflow.users.v1.UsersService/GetMe', {}, { ...signedIn().headers, 'connect-timeout-ms': timeout });

  it('that is longer than the contract grants is shortened, not refused', async () => {
    expect((await ask('9999999999')).status).toBe(200);
  });

  it('that is too short is told so, with the service that was not asked', async () => {
    const { status, json } = await ask('1');
    expect([status, json['code']]).toEqual([504, 'deadline_exceeded']);
  });
});
