import { beforeAll, describe, expect, it } from '@jest/globals';
import { InternalUsersServiceService, UsersServiceService } from '#contract/users/v1/users';
import { createAuthority, waitUntil, type Authority } from '#dev/cluster';
import type { ServiceName } from '#libs/contract';
import { createMetrics, type Certificates } from '#libs/runtime';
import { openStub, type CallError } from '#dev/stubs';
import { createClient } from '../src/index.ts';
import { openFiles, openOutsider } from './certificate-files.ts';
import { bearer, identityOf, metricOf, recordingLogger, startTestServer, type TestServer } from './cluster.ts';
import { internalUsersBinding, usersBinding } from './services.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';

// `tasks` may call BatchGetUsers of users by the contract, `users` itself may not.

const afterTest = stopAfterEach();

let authority: Authority;
let target: TestServer;

beforeAll(async () => {
  authority = await createAuthority();
});

async function start(): Promise<void> {
  const files = await openFiles(authority, { dnsNames: ['users'], ipAddresses: ['127.0.0.1'] });
  const bindings = [usersBinding(), internalUsersBinding()];
  target = await startTestServer({ bindings, certificates: files.certificates });
  afterTest(async () => {
    await target.server.stop();
    files.remove();
  });
}

/** Certificates with these names; without names there is none of the client. */
async function certificatesOf(dnsNames: string[]): Promise<Certificates> {
  const opened = dnsNames.length === 0 ? openOutsider(authority.certificate) : await openFiles(authority, { dnsNames });
  afterTest(() => opened.remove());
  return 'certificates' in opened ? opened.certificates : opened;
}

/** Believes the authority of the server, and shows another's certificate. */
async function strangersCertificates(issuer: Authority, to?: Date): Promise<Certificates> {
  const { certificates, remove } = await openFiles(issuer, { dnsNames: ['tasks'], ...(to !== undefined && { to }) });
  afterTest(remove);
  const authorities = Buffer.from(authority.certificate);
  return { ...certificates, current: () => ({ ...certificates.current(), authorities }) };
}

/** How an internal call with this certificate and the token of this service ends. */
async function callInternal(certificates: Certificates, service?: ServiceName): Promise<string> {
  const client = openStub(InternalUsersServiceService, target.address, { certificates });
  afterTest(() => client.close());
  const metadata = service && { 'x-taskflow-service': await identityOf(service).tokenFor('users') };
  const call = client.batchGetUsers({ userIds: [] }, { timeoutMs: 20_000, ...(metadata && { metadata }) });
  return call.then(
    () => 'OK',
    (error: CallError) => `${error.kind} ${error.reason}`,
  );
}

/** The log line of the refused call. */
const refusedCall = () => target.lines.find(({ msg, code }) => msg === 'call ended' && code === 'PERMISSION_DENIED');

describe('invariant 6: an internal method, when services prove their names by certificates', () => {
  it('serves a caller of the contract', async () => {
    await start();
    expect(await callInternal(await certificatesOf(['tasks']), 'tasks')).toBe('OK');
  });

  it('refuses a service that is no caller, and the log tells which', async () => {
    await start();
    expect(await callInternal(await certificatesOf(['users']), 'users')).toBe(
      'permission_denied CERTIFICATE_NOT_ALLOWED',
    );
    expect(refusedCall()).toMatchObject({
      reason: 'CERTIFICATE_NOT_ALLOWED',
      caller: 'users',
      certificate: { services: ['users'], serial: expect.stringMatching(/^[0-9A-F]{30,}$/) },
    });
  });

  it('refuses a certificate that names no service', async () => {
    await start();
    const certificates = await certificatesOf(['tasks.example.com', 'laptop']);
    expect(await callInternal(certificates, 'tasks')).toBe('permission_denied CERTIFICATE_NOT_ALLOWED');
    expect(refusedCall()).toMatchObject({ certificate: { services: [] } });
  });

  it('refuses a name that is hidden inside of another, and a wildcard', async () => {
    await start();
    for (const name of ['x, DNS:tasks, DNS:y', '*', '*.tasks'])
      expect(await callInternal(await certificatesOf([name]), 'tasks')).toBe(
        'permission_denied CERTIFICATE_NOT_ALLOWED',
      );
  });

  it('refuses a caller without a certificate, whatever token it has', async () => {
    await start();
    expect(await callInternal(await certificatesOf([]), 'tasks')).toBe('permission_denied CERTIFICATE_REQUIRED');
    expect(await callInternal(await certificatesOf([]))).toBe('permission_denied CERTIFICATE_REQUIRED');
  });

  it('refuses the token of another service than that of the certificate', async () => {
    await start();
    expect(await callInternal(await certificatesOf(['tasks']), 'scheduler')).toBe(
      'permission_denied CERTIFICATE_MISMATCH',
    );
    expect(refusedCall()).toMatchObject({ caller: 'scheduler', certificate: { services: ['tasks'] } });
  });

  it('still asks for a service token', async () => {
    await start();
    expect(await callInternal(await certificatesOf(['tasks']))).toBe('permission_denied SERVICE_IDENTITY_REQUIRED');
  });

  it.each([
    ['of another authority', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', undefined],
    ['that has ended', 'CERT_HAS_EXPIRED', new Date(Date.now() - 1000)],
  ])('refuses the connection of a client with a certificate %s, and the log tells why', async (_what, why, to) => {
    await start();
    const issuer = to === undefined ? await createAuthority() : authority;
    expect(await callInternal(await strangersCertificates(issuer, to), 'tasks')).toBe('unavailable undefined');
    await waitUntil(() => target.lines.some(({ message }) => String(message).endsWith(why)));
    expect(await metricOf(target, 'grpc_server_failed_handshakes_total{reason="certificate"')).toBeGreaterThan(0);
  });
});

it('public methods serve users without a certificate, also when services prove their names', async () => {
  await start();
  const client = openStub(UsersServiceService, target.address, { certificates: await certificatesOf([]) });
  afterTest(() => client.close());
  await client.getMe({}, { metadata: await bearer() });
});

it('a service whose certificate does not fit calls in vain, and its identity counts as refused', async () => {
  await start();
  const notes: unknown[] = [];
  const { client, close } = createClient(InternalUsersServiceService, {
    callee: 'users',
    address: target.address,
    identity: {
      ...identityOf('tasks'),
      certificates: await certificatesOf(['scheduler']),
      standing: { note: (...note) => void notes.push(note) },
    },
    logger: recordingLogger().logger,
    metrics: createMetrics('tasks'),
  });
  afterTest(close);
  await expect(client.batchGetUsers({ userIds: [] })).rejects.toMatchObject({ reason: 'DEPENDENCY_UNAVAILABLE' });
  expect(notes).toEqual([['users', false]]);
});
