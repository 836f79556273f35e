import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { createAuthority, waitUntil, type Authority } from '#dev/cluster';
import { createMetrics, type Certificates, type TlsMode } from '#libs/runtime';
import { openStub, type CallError } from '#dev/stubs';
import { createClient, type ServerOptions } from '../src/index.ts';
import { openFiles, openOutsider } from './certificate-files.ts';
import { bearer, identityOf, metricOf, recordingLogger, startTestServer, type TestServer } from './cluster.ts';
import { internalUsersBinding, usersBinding } from './services.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';

const afterTest = stopAfterEach();

const local = { dnsNames: ['users', 'localhost'], ipAddresses: ['127.0.0.1'] };
let authority: Authority;
let stranger: Authority;

beforeAll(async () => {
  [authority, stranger] = await Promise.all([createAuthority(), createAuthority()]);
});

interface Start extends Partial<ServerOptions> {
  mode?: TlsMode;
  request?: Parameters<Authority['issue']>[0];
}

async function start({ mode = 'required', request = local, ...options }: Start = {}): Promise<TestServer> {
  const files = await openFiles(authority, request, { mode });
  const bindings = [usersBinding(), internalUsersBinding()];
  const target = await startTestServer({ bindings, certificates: files.certificates, ...options });
  afterTest(async () => {
    await target.server.stop();
    files.remove();
  });
  return target;
}

function outsider(believed = authority, mode: TlsMode = 'required'): Certificates {
  const certificates = openOutsider(believed.certificate, mode);
  afterTest(() => certificates.remove());
  return certificates;
}

/** How a call of a user ends: OK, or why not. */
async function getMe(address: string, certificates?: Certificates): Promise<string> {
  const client = openStub(UsersServiceService, address, { certificates });
  const call = client.getMe({}, { metadata: await bearer(), timeoutMs: 20_000 });
  const outcome = await call.then(
    () => 'OK',
    (error: CallError) => `${error.kind}: ${error.message}`,
  );
  client.close();
  return outcome;
}

const portOf = ({ address }: TestServer): number => Number(address.split(':')[1]);

function openSocket(target: TestServer): Socket {
  const socket = connectPlain(portOf(target), '127.0.0.1').on('error', () => undefined);
  afterTest(() => void socket.destroy());
  return socket;
}

/** The refusals in the log, with the reason of each. */
const refusals = ({ lines }: TestServer): unknown[] =>
  lines.filter(({ msg }) => msg === 'connection refused: it was not secured').map(({ reason }) => reason);

describe('a server with a certificate', () => {
  it('serves clients that believe its authority, by its name and by its address', async () => {
    const target = await start();
    expect(await getMe(target.address, outsider())).toBe('OK');
    expect(await getMe(`localhost:${portOf(target)}`, outsider())).toBe('OK');
    expect(await metricOf(target, 'grpc_server_connections_total{security="tls"')).toBe(2);
  });

  it('is not believed by clients of another authority', async () => {
    const target = await start();
    expect(await getMe(target.address, outsider(stranger))).toMatch(/^unavailable: .*self-signed certificate/);
    await waitUntil(() => refusals(target).includes('aborted'));
  });

  it('is not believed under another name', async () => {
    const target = await start({ request: { dnsNames: ['elsewhere'] } });
    expect(await getMe(target.address, outsider())).toMatch(/^unavailable: .*does not match/);
    expect(await getMe(`localhost:${portOf(target)}`, outsider())).toMatch(/^unavailable: .*does not match/);
  });

  it('is not believed when its certificate has ended', async () => {
    const target = await start({ request: { ...local, to: new Date(Date.now() - 1000) } });
    expect(await getMe(target.address, outsider())).toMatch(/^unavailable: .*certificate has expired/);
  });

  it('refuses plaintext, and says so', async () => {
    const target = await start();
    expect(await getMe(target.address)).toMatch(/^unavailable: /);
    expect(refusals(target)).toContain('plaintext');
    expect(await metricOf(target, 'grpc_server_failed_handshakes_total{reason="plaintext"')).toBeGreaterThan(0);
    const web = openSocket(target);
    web.write('GET / HTTP/1.1\r\n\r\n');
    await once(web, 'close');
  });

  it('serves nobody without HTTP/2', async () => {
    const target = await start();
    const open = (options: ConnectionOptions) =>
      connectTls({ port: portOf(target), ca: authority.certificate, servername: 'users', ...options });
    const other = open({ ALPNProtocols: ['http/1.1'] });
    await expect(once(other, 'secureConnect')).rejects.toThrow(/alert no application protocol/);
    const none = open({}).resume();
    await once(none, 'close');
    expect(refusals(target)).toEqual(['protocol', 'protocol']);
  });

  it('resumes no session, which would outlive the authority that it was begun with', async () => {
    const target = await start();
    const options = { port: portOf(target), ca: authority.certificate, servername: 'users', ALPNProtocols: ['h2'] };
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = connectTls({ ...options, maxVersion });
      let session: Buffer | undefined;
      first.on('session', (received: Buffer) => (session = received));
      await once(first, 'data');
      const second = connectTls({ ...options, maxVersion, session: session ?? first.getSession() });
      await once(second, 'secureConnect');
      expect(second.isSessionReused()).toBe(false);
      first.destroy();
      second.destroy();
    }
  });

  it('holds an address to its limit of connections before anything is secured', async () => {
    const target = await start({ peerLimits: { connectionsPerPeer: 2 } });
    const silent = [openSocket(target), openSocket(target)];
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const third = openSocket(target);
    await once(third, 'close');
    expect(await metricOf(target, 'grpc_server_refused_connections_total{reason="too_many"')).toBe(1);
    silent[0]?.destroy();
    await waitUntil(async () => (await getMe(target.address, outsider())) === 'OK');
  });

  it('says nothing of somebody who only looks whether the port is open', async () => {
    for (const mode of ['preferred', 'required'] as const) {
      const target = await start({ mode });
      const socket = openSocket(target);
      await once(socket, 'connect');
      socket.destroy();
      // It is the first of two, so it has ended when the second was answered and the server stops.
      expect(await getMe(target.address, outsider())).toBe('OK');
      await target.server.stop();
      expect(refusals(target)).toEqual([]);
    }
  });

  it('stops without waiting for a client that does not finish its handshake', async () => {
    const target = await start();
    const socket = openSocket(target);
    await once(socket, 'connect');
    await Promise.all([target.server.stop(), once(socket, 'close')]);
  });

  it('ends connections at their age without failing a call of a client that never resends', async () => {
    const target = await start({ connectionAgeMs: 40 });
    const client = openStub(UsersServiceService, target.address, { certificates: outsider(), resend: false });
    const metadata = await bearer();
    let failed: string[] = [];
    const ask = async (): Promise<void> => {
      for (let call = 0; call < 60; call += 1)
        await client.getMe({}, { metadata }).catch((error: CallError) => {
          if (!error.isUnsent) failed = [...failed, error.message];
        });
    };
    await Promise.all(Array.from({ length: 10 }, ask));
    client.close();
    expect(failed).toEqual([]);
    expect(await metricOf(target, 'grpc_server_connections_total{security="tls"')).toBeGreaterThan(2);
  });
});

describe('a cluster on its way to TLS', () => {
  /** A call of a service in one mode to a service in another. */
  async function callAs(caller: TlsMode, target: TestServer): Promise<string> {
    const files = await openFiles(authority, { dnsNames: ['tasks'] }, { mode: caller });
    const { client, close } = createClient(InternalUsersServiceService, {
      callee: 'users',
      address: target.address,
      identity: { ...identityOf('tasks'), certificates: caller === 'off' ? undefined : files.certificates },
      logger: recordingLogger().logger,
      metrics: createMetrics('tasks'),
    });
    const outcome = await client.batchGetUsers({ userIds: [] }).then(
      () => 'OK',
      (error: { reason: string }) => error.reason,
    );
    close();
    files.remove();
    return outcome;
  }

  it.each([
    ['off', 'offered'],
    ['offered', 'preferred'],
    ['preferred', 'required'],
    ['required', 'mutual'],
  ] as const)('serves callers of both modes while it goes from %s to %s', async (before, after) => {
    const old = await start({ mode: before, ...(before === 'off' && { certificates: undefined }) });
    const renewed = await start({ mode: after });
    for (const target of [old, renewed])
      for (const caller of [before, after]) expect([caller, await callAs(caller, target)]).toEqual([caller, 'OK']);
  });

  it('takes plaintext and TLS on one port, and counts each', async () => {
    const target = await start({ mode: 'preferred' });
    expect(await getMe(target.address)).toBe('OK');
    expect(await getMe(target.address, outsider())).toBe('OK');
    for (const security of ['tls', 'plaintext'])
      expect(await metricOf(target, `grpc_server_connections_total{security="${security}"`)).toBe(1);
  });

  it('is told by a caller why a callee without the name of its service is not believed', async () => {
    const target = await start({ request: { ...local, dnsNames: ['tasks', 'localhost'] } });
    const files = await openFiles(authority, { dnsNames: ['tasks'] });
    afterTest(files.remove);
    const { client, close } = createClient(InternalUsersServiceService, {
      callee: 'users',
      address: target.address,
      identity: { ...identityOf('tasks'), certificates: files.certificates },
      logger: recordingLogger().logger,
      metrics: createMetrics('tasks'),
    });
    afterTest(close);
    const call = client.batchGetUsers({ userIds: [] });
    await expect(call).rejects.toMatchObject({
      reason: 'DEPENDENCY_UNAVAILABLE',
      cause: { message: expect.stringMatching(/Host: users\. is not in the cert's altnames/) },
    });
  });
});
