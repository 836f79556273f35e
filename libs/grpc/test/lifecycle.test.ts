import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, credentials, Metadata, status, type ClientReadableStream, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import type { ListUsersResponse } from '#contract/users/v1/users';
import { ListUsersRequest, UsersServiceService } from '#contract/users/v1/users';
import { PortTakenError } from '#libs/runtime';
import type { HealthCheckResponse} from '../../contract/src/gen/grpc/health/v1/health.ts';
import { HealthCheckRequest, HealthService } from '../../contract/src/gen/grpc/health/v1/health.ts';
import { bind } from '../src/index.ts';
import { startTestServer, userToken, type TestServer } from './cluster.ts';
import { RawClient } from './raw-client.ts';
import { gate, internalUsersBinding, paths, usersBinding } from './services.ts';

const running: { stop(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const part of running.splice(0).reverse()) await part.stop();
});

async function start(options: Parameters<typeof startTestServer>[0]): Promise<TestServer> {
  const target = await startTestServer(options);
  running.push(target.server);
  return target;
}
function open(address: string): Client {
  const client = new Client(address, credentials.createInsecure());
  running.push({ stop: () => client.close() });
  return client;
}

function check(client: Client, service: string): Promise<{ code: number; answer?: HealthCheckResponse }> {
  const { path, requestSerialize, responseDeserialize } = HealthService.check;
  return new Promise((resolve) =>
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, answer) => resolve({ code: error?.code ?? 0, answer })),
  );
}

function watch(client: Client): { next(wanted: string): Promise<void>; ended: Promise<number> } {
  const { path, requestSerialize, responseDeserialize } = HealthService.watch;
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, HealthCheckRequest.fromPartial({ service: '' }));
  stream.on('error', () => undefined);
  const ended = new Promise<number>((resolve) => stream.on('status', ({ code }: StatusObject) => resolve(code)));
  const next = (wanted: string) =>
    new Promise<void>((resolve) => {
      const look = ({ status: seen }: HealthCheckResponse): void => {
        if (seen !== wanted && seen !== `SERVING_STATUS_${wanted}`) return;
        stream.off('data', look);
        resolve();
      };
      stream.on('data', look);
    });
  return { next, ended };
}

describe('health', () => {
  it('tells the truth of the checks for the server and each service, and pushes changes', async () => {
    let up = true;
    const database = async (): Promise<void> => {
      if (!up) throw new Error('connection refused');
    };
    const target = await start({ bindings: [usersBinding(), internalUsersBinding()], checks: { database } });
    const client = open(target.address);
    const health = watch(client);
    await health.next('SERVING');
    expect(target.server.isServing()).toBe(true);
    for (const service of ['', 'taskflow.users.v1.UsersService', 'taskflow.users.v1.InternalUsersService']) {
      expect((await check(client, service)).answer).toEqual({ status: expect.stringMatching(/^(SERVING_STATUS_)?SERVING$/) });
    }
    expect((await check(client, 'taskflow.tasks.v1.TasksService')).code).toBe(status.NOT_FOUND);

    up = false;
    await health.next('NOT_SERVING');
    expect(target.lines).toContainEqual(expect.objectContaining({ level: 40, msg: 'health changed', failures: { database: 'connection refused' } }));
    // Alive all the same: no reason to restart the process.
    expect((await check(client, 'liveness')).answer).toEqual({ status: expect.stringMatching(/^(SERVING_STATUS_)?SERVING$/) });

    up = true;
    await health.next('SERVING');
  });

  it('does not wait for a check that hangs', async () => {
    const target = await start({ bindings: [usersBinding()], checks: { database: () => new Promise(() => undefined) } });
    await watch(open(target.address)).next('NOT_SERVING');
    expect(target.server.isServing()).toBe(false);
  });

  it('says NOT_SERVING on demand, whatever the checks say', async () => {
    const target = await start({ bindings: [usersBinding()] });
    const health = watch(open(target.address));
    await health.next('SERVING');
    target.server.setServing(false);
    await health.next('NOT_SERVING');
    expect(target.server.isServing()).toBe(false);
  });
});

describe('a port that is taken', () => {
  it('is named', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    running.push({ stop: () => void other.close() });
    const { port } = other.address() as AddressInfo;
    const error = await startTestServer({ bindings: [usersBinding()], port }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PortTakenError);
    expect(error).toMatchObject({ protocol: 'grpc', port });
  });
});

// No method of the contract streams yet; one of them, declared as a stream, shows that the chain is the same.
const streaming = { listUsers: { ...UsersServiceService.listUsers, responseStream: true as const } };
type Page = (page: string) => ListUsersResponse;
const page: Page = (nextPageToken) => ({ users: [], nextPageToken });

async function stream(target: TestServer, token: string): Promise<ClientReadableStream<ListUsersResponse>> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const { path, requestSerialize, responseDeserialize } = UsersServiceService.listUsers;
  const call = open(target.address).makeServerStreamRequest(path, requestSerialize, responseDeserialize, ListUsersRequest.fromPartial({}), metadata);
  return call;
}
const admin = await userToken({ claims: { role: 'admin' } });
const endOf = (call: ClientReadableStream<ListUsersResponse>): Promise<ServiceError | undefined> =>
  new Promise((resolve) => call.once('error', (error) => resolve(error as ServiceError)).once('end', () => resolve(undefined)));

describe('a stream of answers', () => {
  it('arrives whole and in order, also when the client is slow', async () => {
    const binding = bind(streaming, {
      listUsers: async function* () {
        for (let index = 0; index < 200; index++) yield page(`${index} ${'x'.repeat(20_000)}`);
      },
    });
    const target = await start({ bindings: [binding] });
    const seen: number[] = [];
    for await (const message of await stream(target, admin)) {
      seen.push(Number((message as ListUsersResponse).nextPageToken.split(' ')[0]));
      if (seen.length === 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  it('passes the same access checks', async () => {
    const target = await start({ bindings: [bind(streaming, { listUsers: async function* () {} })] });
    const error = await endOf((await stream(target, await userToken())).resume());
    expect(error?.code).toBe(status.PERMISSION_DENIED);
  });

  it('ends with the error of its handler behind the messages that were sent', async () => {
    const binding = bind(streaming, {
      listUsers: async function* () {
        yield page('first');
        throw new Error('secret');
      },
    });
    const call = await stream(await start({ bindings: [binding] }), admin);
    const seen: string[] = [];
    call.on('data', (message: ListUsersResponse) => seen.push(message.nextPageToken));
    const error = await endOf(call);
    expect([error?.code, error?.details, seen]).toEqual([status.INTERNAL, 'internal error', ['first']]);
  });

  it('is stopped at its source when the client cancels', async () => {
    const aborted = gate();
    const binding = bind(streaming, {
      listUsers: async function* (_request, { signal }) {
        yield page('first');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        aborted.open();
      },
    });
    const call = await stream(await start({ bindings: [binding] }), admin);
    call.on('error', () => undefined);
    call.on('data', () => call.cancel());
    await aborted.promise;
  });
});

describe('stop', () => {
  it('invariant 7: ends streams with UNAVAILABLE and SHUTTING_DOWN, health and reflection included', async () => {
    const sent = gate();
    const binding = bind(streaming, {
      listUsers: async function* () {
        yield page('first');
        sent.open();
        await new Promise(() => undefined);
      },
    });
    const target = await startTestServer({ bindings: [binding], graceMs: 600_000 });
    const health = watch(open(target.address));
    await health.next('SERVING');
    const call = (await stream(target, admin)).resume();
    const ended = endOf(call);
    await sent.promise;
    await target.server.stop();
    expect([(await ended)?.code, await health.ended]).toEqual([status.UNAVAILABLE, status.UNAVAILABLE]);
  });

  it('invariant 7: lets a running call finish', async () => {
    const entered = gate();
    const { promise, open: finish } = gate();
    const binding = usersBinding({
      getMe: async () => {
        entered.open();
        await promise;
        return {};
      },
    });
    const target = await startTestServer({ bindings: [binding], graceMs: 600_000 });
    const raw = new RawClient(target.address);
    running.push({ stop: () => raw.close() });
    const answer = raw.call(paths.getMe, Buffer.alloc(0), { metadata: { authorization: `Bearer ${await userToken()}` } });
    await entered.promise;
    const stopped = target.server.stop();
    finish();
    await stopped;
    expect((await answer).code).toBe(status.OK);
  });

  it('invariant 7: tells a call that outlives the grace period so, and ends', async () => {
    const entered = gate();
    const binding = usersBinding({ getMe: () => (entered.open(), new Promise(() => undefined)) });
    const target = await startTestServer({ bindings: [binding], graceMs: 100 });
    const raw = new RawClient(target.address);
    running.push({ stop: () => raw.close() });
    const answer = raw.call(paths.getMe, Buffer.alloc(0), { metadata: { authorization: `Bearer ${await userToken()}` } });
    await entered.promise;
    await target.server.stop();
    expect((await answer).details.ErrorInfo?.reason).toBe('SHUTTING_DOWN');
  });
});
