import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata, status, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import { InternalAuthServiceService, type WatchRevocationsResponse } from '#contract/auth/v1/auth';
import { bind, type ServiceBinding } from '#libs/grpc';
import { createAuthenticator, type Revocations } from '#libs/identity';
import { accessKeys, servicePublicKeys, startTestServer, userToken, type TestServer } from '../../grpc/test/cluster.ts';
import { RawClient, type RawAnswer } from '../../grpc/test/raw-client.ts';
import { createSource, knowsNothing, type RevocationSource } from '../../grpc/test/revocation-source.ts';
import { paths, usersBinding } from '../../grpc/test/services.ts';

const known = { revoked: new Set<string>(), stale: false };
const revocations: Revocations = {
  isRevoked: ({ sessionId }) => known.revoked.has(sessionId),
  isStale: () => known.stale,
};

const token = await userToken();
let target: TestServer;
let raw: RawClient;
let source: RevocationSource;

/** A stream for services, declared as one for users. */
function userStream(): ServiceBinding {
  const { service, methods } = bind(InternalAuthServiceService, {
    watchRevocations: (_request, call) => source.watch(call.signal),
    ...knowsNothing,
  });
  return {
    service,
    methods: methods.map((method) => ({ ...method, policy: { ...method.policy, access: 'user' as const } })),
  };
}

beforeEach(async () => {
  known.revoked.clear();
  known.stale = false;
  source = createSource();
  const authenticate = createAuthenticator({ service: 'users', accessKeys, servicePublicKeys, revocations });
  target = await startTestServer({ bindings: [usersBinding(), userStream()], authenticate, revocations });
  raw = new RawClient(target.address);
});
afterEach(async () => {
  raw.close();
  await target.server.stop();
});

const ask = async (path: string, role = 'user'): Promise<RawAnswer> =>
  raw.call(path, Buffer.alloc(0), {
    metadata: { authorization: `Bearer ${await userToken({ claims: { role } })}`, 'x-request-id': 'same' },
  });

function openStream(token: string): ClientReadableStream<WatchRevocationsResponse> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  metadata.set('x-request-id', 'same');
  const { path, requestSerialize, responseDeserialize } = InternalAuthServiceService.watchRevocations;
  return raw.client
    .makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata)
    .on('data', () => undefined);
}

describe('a revoked token', () => {
  it('gets the same answer as an invalid token', async () => {
    expect((await ask(paths.getMe)).code).toBe(status.OK);
    known.revoked.add('session-1');
    const revoked = await ask(paths.getMe);
    const nonsense = await raw.call(paths.getMe, Buffer.alloc(0), {
      metadata: { authorization: 'Bearer nonsense', 'x-request-id': 'same' },
    });
    expect(revoked.code).toBe(status.UNAUTHENTICATED);
    expect([revoked.message, revoked.trailer]).toEqual([nonsense.message, nonsense.trailer]);
  });

  it('ends its open streams with the same answer', async () => {
    const ended = new Promise<ServiceError>((resolve) => void openStream(token).on('error', resolve));
    const channel = await source.connection();
    channel.send({ snapshotComplete: true });
    known.revoked.add('session-1');
    const error = await ended;
    await channel.left;
    const refused = await ask(paths.getMe);
    expect([error.code, error.details]).toEqual([status.UNAUTHENTICATED, 'the token is not valid']);
    expect(error.metadata.get('grpc-status-details-bin')).toEqual([refused.trailer['grpc-status-details-bin']]);
  });

  it('ends no stream of another session', async () => {
    const other = await userToken({ claims: { sid: 'session-2' } });
    const ended = new Promise<ServiceError>((resolve) => void openStream(token).on('error', resolve));
    const [mine, theirs] = [source.connection(), source.connection()];
    await mine;
    const stream = openStream(other);
    let failed = false;
    stream.on('error', () => (failed = true));
    const channel = await theirs;
    known.revoked.add('session-1');
    await ended;
    const received = new Promise((resolve) => stream.once('data', resolve));
    channel.send({ snapshotComplete: true });
    await received;
    expect(failed).toBe(false);
    stream.cancel();
  });
});

describe('a stream', () => {
  it('ends when its token expires, because revocations are not kept longer', async () => {
    const short = await userToken({ claims: { exp: Math.floor(Date.now() / 1000) + 2 } });
    const error = await new Promise<ServiceError>((resolve) => void openStream(short).on('error', resolve));
    expect([error.code, error.details]).toEqual([status.UNAUTHENTICATED, 'the token is not valid']);
  });
});

describe('while revocations are stale', () => {
  it('sensitive methods refuse with the time to wait, and others serve', async () => {
    known.stale = true;
    const { code, details } = await ask(paths.listUsers, 'admin');
    expect([code, details.ErrorInfo?.reason, details.RetryInfo?.retryDelay]).toEqual([
      status.UNAVAILABLE,
      'REVOCATIONS_STALE',
      { seconds: 1n, nanos: 0 },
    ]);
    expect((await ask(paths.getMe, 'admin')).code).toBe(status.OK);
    known.stale = false;
    expect((await ask(paths.listUsers, 'admin')).code).toBe(status.OK);
  });

  it('sensitive methods check access first', async () => {
    known.stale = true;
    expect((await ask(paths.listUsers)).details.ErrorInfo?.reason).toBe('ADMIN_REQUIRED');
  });

  it('tokens that are known to be revoked are refused', async () => {
    known.stale = true;
    known.revoked.add('session-1');
    expect((await ask(paths.getMe)).details.ErrorInfo?.reason).toBe('TOKEN_INVALID');
  });
});
