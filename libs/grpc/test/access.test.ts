import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServiceName } from '#libs/contract';
import type { Actor } from '#libs/runtime';
import { bearer, identityOf, startTestServer, userToken, type TestServer } from './cluster.ts';
import { answerOf, frame, openHttp2 } from './http2-client.ts';
import { decodeDetails, RawClient } from './raw-client.ts';
import { authBinding, internalUsersBinding, paths, usersBinding } from './services.ts';

const ok = ['OK', undefined];
const missing = ['UNAUTHENTICATED', 'CREDENTIALS_MISSING'];
const invalid = ['UNAUTHENTICATED', 'TOKEN_INVALID'];
const adminRequired = ['PERMISSION_DENIED', 'ADMIN_REQUIRED'];
const serviceRequired = ['PERMISSION_DENIED', 'SERVICE_IDENTITY_REQUIRED'];

let target: TestServer;
let raw: RawClient;
let lastActor: Actor | undefined;

beforeAll(async () => {
  const auth = authBinding({
    getJwks: async (_request, call) => {
      lastActor = call.actor;
      return { keys: [], maxAge: undefined };
    },
  });
  target = await startTestServer({ bindings: [usersBinding(), internalUsersBinding(), auth] });
  raw = new RawClient(target.address);
});
afterAll(async () => {
  raw.close();
  await target.server.stop();
});

const outcomeOf = async (path: string, metadata: Record<string, string> = {}) =>
  (await raw.call(path, Buffer.alloc(0), { metadata })).outcome;
const admin = () => bearer({ claims: { role: 'admin' } });
const service = async (name: ServiceName, callee: ServiceName = 'users') => ({
  'x-taskflow-service': await identityOf(name).tokenFor(callee),
});

describe('access by the contract', () => {
  it('asks for credentials on methods of users and administrators', async () => {
    expect(await outcomeOf(paths.getMe)).toEqual(missing);
    expect(await outcomeOf(paths.listUsers)).toEqual(missing);
  });

  it('says which credentials end with a blank instead of calling them missing', async () => {
    const { authorization } = await bearer();
    const serviceToken = await identityOf('tasks').tokenFor('users');
    for (const [path, header, value] of [
      [paths.getMe, 'authorization', `${authorization} `],
      [paths.getJwks, 'authorization', ` ${authorization}`],
      [paths.batchGetUsers, 'x-taskflow-service', `${serviceToken} `],
    ] as const) {
      const { outcome, details } = await raw.call(path, Buffer.alloc(0), { metadata: { [header]: value } });
      expect(outcome).toEqual(['INVALID_ARGUMENT', 'MALFORMED_REQUEST']);
      expect(details.ErrorInfo?.metadata).toEqual({ header });
    }
  });

  it('refuses credentials that are there twice, and whatever else two sides could read differently', async () => {
    const [{ authorization: ours }, { authorization: theirs }] = await Promise.all([bearer(), admin()]);
    const client = await openHttp2(target.address);
    const refused: Record<string, string | undefined> = {};
    for (const [header, first, second] of [
      ['authorization', ours, theirs],
      ['authorization', ours, ours],
      ['x-taskflow-service', 'one', 'another'],
      ['grpc-timeout', '1S', '2S'],
      ['content-type', 'application/grpc', 'application/grpc+proto'],
    ] as const) {
      const stream = client.begin({ [header]: [first, second] });
      const answered = answerOf(stream);
      stream.end(frame(Buffer.alloc(0)));
      const { headers } = await answered;
      const { ErrorInfo } = decodeDetails(Buffer.from(headers['grpc-status-details-bin'] ?? '', 'base64'));
      expect([headers['grpc-status'], ErrorInfo?.reason]).toEqual(['3', 'MALFORMED_REQUEST']);
      refused[header] = ErrorInfo?.metadata['header'];
    }
    client.close();
    expect(Object.entries(refused)).toEqual(Object.keys(refused).map((header) => [header, header]));
    expect(await outcomeOf(paths.getMe, await bearer())).toEqual(ok);
  });

  it('lets users call methods of users, and administrators those of both', async () => {
    expect(await outcomeOf(paths.getMe, await bearer())).toEqual(ok);
    expect(await outcomeOf(paths.listUsers, await bearer())).toEqual(adminRequired);
    expect(await outcomeOf(paths.listUsers, await admin())).toEqual(ok);
    expect(await outcomeOf(paths.getMe, await admin())).toEqual(ok);
  });

  it('refuses user tokens, also those of administrators, on methods of services', async () => {
    expect(await outcomeOf(paths.batchGetUsers)).toEqual(serviceRequired);
    expect(await outcomeOf(paths.batchGetUsers, await admin())).toEqual(serviceRequired);
  });

  it('admits exactly the services that the contract names', async () => {
    expect(await outcomeOf(paths.batchGetUsers, await service('tasks'))).toEqual(ok);
    const notAllowed = ['PERMISSION_DENIED', 'CALLER_NOT_ALLOWED'];
    expect(await outcomeOf(paths.batchGetUsers, await service('auth'))).toEqual(notAllowed);
    expect(await outcomeOf(paths.upsertProfile, await service('auth'))).toEqual(ok);
  });

  it('does not take a service for a user', async () => {
    expect(await outcomeOf(paths.getMe, await service('tasks'))).toEqual(missing);
  });

  it('refuses a service token for another callee', async () => {
    expect(await outcomeOf(paths.batchGetUsers, await service('tasks', 'auth'))).toEqual(invalid);
  });

  it('ignores invalid credentials on public methods', async () => {
    const nonsense = { authorization: 'Bearer nonsense', 'x-taskflow-service': 'nonsense' };
    expect(await outcomeOf(paths.getJwks, nonsense)).toEqual(ok);
    expect(lastActor).toEqual({ kind: 'anonymous' });
    expect(await outcomeOf(paths.getJwks, await bearer())).toEqual(ok);
    expect(lastActor).toEqual({ kind: 'user', userId: 'user-1', role: 'user', sessionId: 'session-1' });
  });

  it('identifies nobody by other metadata', async () => {
    const claims = {
      'x-user-id': 'user-1',
      'x-user-role': 'admin',
      'x-taskflow-user': 'user-1',
      'x-taskflow-role': 'admin',
      'x-taskflow-session': 'session-1',
      'x-forwarded-user': 'user-1',
      'x-authenticated-user': 'user-1',
      'x-service': 'tasks',
      'x-taskflow-caller': 'tasks',
      'x-access-token': await userToken(),
      'proxy-authorization': `Bearer ${await userToken()}`,
      cookie: `access_token=${await userToken()}`,
    };
    expect(await outcomeOf(paths.getMe, claims)).toEqual(missing);
    expect(await outcomeOf(paths.listUsers, { ...claims, ...(await bearer()) })).toEqual(adminRequired);
    expect(await outcomeOf(paths.batchGetUsers, { ...claims, ...(await admin()) })).toEqual(serviceRequired);
    await outcomeOf(paths.getJwks, claims);
    expect(lastActor).toEqual({ kind: 'anonymous' });
  });

  it('identifies a service only by its own metadata, and a user only by "authorization"', async () => {
    const authorization = `Bearer ${await identityOf('tasks').tokenFor('users')}`;
    expect(await outcomeOf(paths.batchGetUsers, { authorization })).toEqual(serviceRequired);
    expect(await outcomeOf(paths.batchGetUsers, { 'x-taskflow-service': 'tasks' })).toEqual(invalid);
    expect(await outcomeOf(paths.getMe, { 'x-taskflow-service': await userToken() })).toEqual(missing);
  });

  it('refuses other schemes than Bearer', async () => {
    expect(await outcomeOf(paths.getMe, { authorization: 'Basic dXNlcjpwYXNz' })).toEqual(invalid);
  });
});
