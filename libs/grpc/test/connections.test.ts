import { describe, expect, it } from '@jest/globals';
import { UsersServiceService, type ListUsersResponse } from '#contract/users/v1/users';
import { openStub, type CallError, type Stub } from '#dev/stubs';
import { bind, type ServerOptions, type ServiceBinding } from '../src/index.ts';
import { startTestServer, userToken, type TestServer } from './cluster.ts';
import { waitUntil } from '#dev/cluster';
import { frame, openHttp2 } from './http2-client.ts';
import { paths, usersBinding } from './services.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';

const afterTest = stopAfterEach();

// One method of the contract, declared as a stream.
const streaming = { listUsers: { ...UsersServiceService.listUsers, responseStream: true as const } };
const page: ListUsersResponse = { users: [], nextPageToken: 'x'.repeat(64 * 1024) };

/** Sends one page, then nothing until the call ends. */
const quiet = bind(streaming, {
  listUsers: async function* (_request, { signal }) {
    yield page;
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  },
});
/** Sends as much as is accepted. */
const endless = bind(streaming, {
  listUsers: async function* () {
    for (;;) yield page;
  },
});

async function start(binding: ServiceBinding, options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const target = await startTestServer({ bindings: [binding], ...options });
  afterTest(() => target.server.stop());
  return target;
}

function open<D extends object>(definition: D, address: string, roundRobin = false): Stub<D> {
  const client = openStub(definition, address, { roundRobin, resend: false });
  afterTest(() => client.close());
  return client;
}

const asAdmin = { token: await userToken({ claims: { role: 'admin' } }) };

/** Repeats a call that never left the client, and records any other failure. */
async function ask(client: Stub<typeof UsersServiceService>, failures: string[]): Promise<void> {
  try {
    await client.getMe({}, asAdmin);
  } catch (error) {
    if ((error as CallError).isUnsent) return ask(client, failures);
    failures.push((error as CallError).message);
  }
}

/** How a stream ended for its client, and the number of its messages. */
async function endOf(target: TestServer): Promise<{ messages: number; kind: string; reason: string | undefined }> {
  const seen: ListUsersResponse[] = [];
  try {
    for await (const message of open(streaming, target.address).listUsers({}, asAdmin)) seen.push(message);
    return { messages: seen.length, kind: 'ok', reason: undefined };
  } catch (error) {
    const { kind, reason } = error as CallError;
    return { messages: seen.length, kind, reason };
  }
}

describe('invariant 8: a connection that has reached its age', () => {
  it('ends the streams that exceed its grace with UNAVAILABLE and SHUTTING_DOWN', async () => {
    const target = await start(quiet, { connectionAgeMs: 200, connectionGraceMs: 100 });
    expect(await endOf(target)).toEqual({ messages: 1, kind: 'unavailable', reason: 'SHUTTING_DOWN' });
  });

  it('fails no call of a client that never resends', async () => {
    const target = await start(usersBinding(), { connectionAgeMs: 50 });
    const client = open(UsersServiceService, target.address);
    const failures: string[] = [];
    const call = async (): Promise<void> => {
      for (let count = 0; count < 150; count += 1) await ask(client, failures);
    };
    await Promise.all(Array.from({ length: 8 }, call));
    expect(failures).toEqual([]);
  });
});

describe('invariant 7: a server that stops', () => {
  it('serves calls on the way, and fails no call of a client that never resends', async () => {
    const [leaving, staying] = [await start(usersBinding()), await start(usersBinding())];
    const client = open(UsersServiceService, `ipv4:${leaving.address},${staying.address}`, true);
    const failures: string[] = [];
    let calls = 0;
    let busy = true;
    const call = async (): Promise<void> => {
      while (busy) await ask(client, failures).then(() => (calls += 1));
    };
    const calling = Array.from({ length: 16 }, call);
    await waitUntil(() => calls >= 200);
    await leaving.server.stop();
    busy = false;
    await Promise.all(calling);
    expect(failures).toEqual([]);
  });

  it('does not wait longer than its grace for a client that reads nothing', async () => {
    const target = await start(endless, { graceMs: 100 });
    const reader = await openHttp2(target.address);
    afterTest(() => reader.close());
    const stream = reader.begin({ ':path': paths.listUsers, authorization: `Bearer ${asAdmin.token}` });
    stream.on('error', () => undefined);
    const begun = new Promise((resolve) => stream.once('response', resolve));
    stream.pause();
    stream.end(frame(Buffer.alloc(0)));
    await begun;
    await target.server.stop();
  });
});
