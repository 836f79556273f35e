import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { UsersServiceService, type ListUsersResponse } from '#contract/users/v1/users';
import { PortTakenError } from '#libs/runtime';
import { openStub, type CallError } from '#dev/stubs';
import { HealthCheckResponse_ServingStatus, HealthService } from '../../contract/src/gen/grpc/health/v1/health.ts';
import { bind, type Handlers, type ServiceBinding } from '../src/index.ts';
import { bearer, startTestServer, userToken, type TestServer } from './cluster.ts';
import { RawClient } from './raw-client.ts';
import { internalUsersBinding, paths, usersBinding } from './services.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';

const { SERVING, NOT_SERVING } = HealthCheckResponse_ServingStatus;
const afterTest = stopAfterEach();

async function start(options: Parameters<typeof startTestServer>[0]): Promise<TestServer> {
  const target = await startTestServer(options);
  afterTest(() => target.server.stop());
  return target;
}
function open<D extends object>(definition: D, { address }: TestServer) {
  const client = openStub(definition, address);
  afterTest(() => client.close());
  return client;
}

/** Watches the health of a server. */
function watchHealth(target: TestServer) {
  const changes = open(HealthService, target).watch({ service: '' });
  const next = async () => (await changes.next()).value?.status;
  const until = async (wanted: string): Promise<void> => {
    while ((await next()) !== wanted);
  };
  return { next, until };
}

describe('health', () => {
  it('follows the checks for the server and each service, and pushes changes', async () => {
    let up = true;
    const database = async (): Promise<void> => {
      if (!up) throw new Error('connection refused');
    };
    const target = await start({ bindings: [usersBinding(), internalUsersBinding()], checks: { database } });
    const client = open(HealthService, target);
    const health = watchHealth(target);
    await health.until(SERVING);
    expect(target.server.isServing()).toBe(true);
    for (const service of ['', 'taskflow.users.v1.UsersService', 'taskflow.users.v1.InternalUsersService'])
      expect(await client.check({ service })).toEqual({ status: SERVING });
    await expect(client.check({ service: 'taskflow.tasks.v1.TasksService' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });

    up = false;
    await health.until(NOT_SERVING);
    expect(target.lines).toContainEqual(
      expect.objectContaining({ level: 40, msg: 'health changed', failures: { database: 'connection refused' } }),
    );
    // The process is alive and must not be restarted.
    expect(await client.check({ service: 'liveness' })).toEqual({ status: SERVING });

    up = true;
    await health.until(SERVING);
  });

  it('does not wait for a check that hangs', async () => {
    const database = (): Promise<void> => new Promise(() => undefined);
    const target = await start({ bindings: [usersBinding()], checks: { database } });
    await watchHealth(target).until(NOT_SERVING);
    expect(target.server.isServing()).toBe(false);
  });

  it('says NOT_SERVING on demand, whatever the checks say', async () => {
    const target = await start({ bindings: [usersBinding()] });
    const health = watchHealth(target);
    await health.until(SERVING);
    target.server.setServing(false);
    await health.until(NOT_SERVING);
    expect(target.server.isServing()).toBe(false);
  });
});

describe('a port in use', () => {
  it('is named in the error', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    afterTest(() => other.close());
    const { port } = other.address() as AddressInfo;
    const error = await startTestServer({ bindings: [usersBinding()], port }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PortTakenError);
    expect(error).toMatchObject({ protocol: 'grpc', port });
  });
});

// A unary method of the contract, declared as a stream.
const streaming = { listUsers: { ...UsersServiceService.listUsers, responseStream: true as const } };
type ListUsers = Handlers<typeof streaming>['listUsers'];
const streamingBinding = (listUsers: ListUsers): ServiceBinding => bind(streaming, { listUsers });
const page = (nextPageToken: string): ListUsersResponse => ({ users: [], nextPageToken });
const admin = { token: await userToken({ claims: { role: 'admin' } }) };

/** The pages of a stream, and the error by which it ended. */
async function readAll(target: TestServer, options = admin): Promise<{ pages: string[]; error?: CallError }> {
  const pages: string[] = [];
  try {
    for await (const message of open(streaming, target).listUsers({}, options)) pages.push(message.nextPageToken);
    return { pages };
  } catch (error) {
    return { pages, error: error as CallError };
  }
}

describe('a stream of answers', () => {
  it('arrives complete and in order, also when the client is slow', async () => {
    const binding = streamingBinding(async function* () {
      for (let index = 0; index < 200; index++) yield page(`${index} ${'x'.repeat(20_000)}`);
    });
    const target = await start({ bindings: [binding] });
    const seen: number[] = [];
    for await (const { nextPageToken } of open(streaming, target).listUsers({}, admin)) {
      seen.push(Number(nextPageToken.split(' ')[0]));
      if (seen.length === 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });

  it('passes the same access checks', async () => {
    const target = await start({ bindings: [streamingBinding(async function* () {})] });
    const { error } = await readAll(target, { token: await userToken() });
    expect(error?.code).toBe(status.PERMISSION_DENIED);
  });

  it('ends with the error of its handler after the messages', async () => {
    const binding = streamingBinding(async function* () {
      yield page('first');
      throw new Error('secret');
    });
    const { pages, error } = await readAll(await start({ bindings: [binding] }));
    expect([error?.code, pages]).toEqual([status.INTERNAL, ['first']]);
    expect(error?.message).toMatch(/internal error$/);
  });

  it('is stopped at its source when the client cancels', async () => {
    const aborted = Promise.withResolvers<void>();
    const binding = streamingBinding(async function* (_request, { signal }) {
      yield page('first');
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      aborted.resolve();
    });
    const target = await start({ bindings: [binding] });
    for await (const { nextPageToken } of open(streaming, target).listUsers({}, admin)) {
      expect(nextPageToken).toBe('first');
      break;
    }
    await aborted.promise;
  });
});

describe('stop', () => {
  it('invariant 7: ends streams with UNAVAILABLE and SHUTTING_DOWN, health and reflection included', async () => {
    const sent = Promise.withResolvers<void>();
    const binding = streamingBinding(async function* () {
      yield page('first');
      sent.resolve();
      await new Promise(() => undefined);
    });
    const target = await startTestServer({ bindings: [binding], graceMs: 600_000 });
    const health = watchHealth(target);
    await health.until(SERVING);
    const ended = readAll(target);
    await sent.promise;
    const healthEnded = health.until('').catch((error: unknown) => error);
    await target.server.stop();
    expect((await ended).error).toMatchObject({ code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
    expect(await healthEnded).toMatchObject({ code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' });
  });

  /** A call of a server that stops with this grace period. The call ends when `finish` resolves. */
  async function startCall(graceMs: number, finish: Promise<void>) {
    const entered = Promise.withResolvers<void>();
    const getMe = async () => {
      entered.resolve();
      await finish;
      return {};
    };
    const { server, address } = await startTestServer({ bindings: [usersBinding({ getMe })], graceMs });
    const raw = new RawClient(address);
    afterTest(() => raw.close());
    const answer = raw.call(paths.getMe, Buffer.alloc(0), { metadata: await bearer() });
    await entered.promise;
    return { server, answer };
  }

  it('invariant 7: lets a running call finish', async () => {
    const { promise, resolve: finish } = Promise.withResolvers<void>();
    const { server, answer } = await startCall(600_000, promise);
    const stopped = server.stop();
    finish();
    await stopped;
    expect((await answer).code).toBe(status.OK);
  });

  it('invariant 7: ends a call that exceeds the grace period with SHUTTING_DOWN', async () => {
    const { server, answer } = await startCall(100, new Promise(() => undefined));
    await server.stop();
    expect((await answer).details.ErrorInfo?.reason).toBe('SHUTTING_DOWN');
  });
});
