import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { Actor } from '#libs/runtime';
import { identityOf, startTestServer, userToken, type TestServer } from './cluster.ts';
import { RawClient, type RawAnswer } from './raw-client.ts';
import { authBinding, internalUsersBinding, paths, usersBinding } from './services.ts';

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

const ask = (path: string, metadata: Record<string, string> = {}): Promise<RawAnswer> => raw.call(path, Buffer.alloc(0), { metadata });
const bearer = async (role = 'user') => ({ authorization: `Bearer ${await userToken({ claims: { role } })}` });
const outcome = ({ code, details }: RawAnswer) => [status[code], details.ErrorInfo?.reason];

describe('access by the contract', () => {
  it('asks for credentials on methods of users and administrators', async () => {
    expect(outcome(await ask(paths.getMe))).toEqual(['UNAUTHENTICATED', 'CREDENTIALS_MISSING']);
    expect(outcome(await ask(paths.listUsers))).toEqual(['UNAUTHENTICATED', 'CREDENTIALS_MISSING']);
  });

  it('lets users call methods of users, and administrators those of both', async () => {
    expect((await ask(paths.getMe, await bearer())).code).toBe(status.OK);
    expect(outcome(await ask(paths.listUsers, await bearer()))).toEqual(['PERMISSION_DENIED', 'ADMIN_REQUIRED']);
    expect((await ask(paths.listUsers, await bearer('admin'))).code).toBe(status.OK);
    expect((await ask(paths.getMe, await bearer('admin'))).code).toBe(status.OK);
  });

  it('refuses user tokens, also those of administrators, on methods of services', async () => {
    const refused = ['PERMISSION_DENIED', 'SERVICE_IDENTITY_REQUIRED'];
    expect(outcome(await ask(paths.batchGetUsers))).toEqual(refused);
    expect(outcome(await ask(paths.batchGetUsers, await bearer('admin')))).toEqual(refused);
  });

  it('admits exactly the services that the contract names', async () => {
    const as = async (service: 'auth' | 'tasks') => ({ 'x-taskflow-service': await identityOf(service).tokenFor('users') });
    expect((await ask(paths.batchGetUsers, await as('tasks'))).code).toBe(status.OK);
    expect(outcome(await ask(paths.batchGetUsers, await as('auth')))).toEqual(['PERMISSION_DENIED', 'CALLER_NOT_ALLOWED']);
    expect((await ask(paths.upsertProfile, await as('auth'))).code).toBe(status.OK);
  });

  it('does not take a service for a user', async () => {
    const metadata = { 'x-taskflow-service': await identityOf('tasks').tokenFor('users') };
    expect(outcome(await ask(paths.getMe, metadata))).toEqual(['UNAUTHENTICATED', 'CREDENTIALS_MISSING']);
  });

  it('refuses a service token that was meant for another callee', async () => {
    const metadata = { 'x-taskflow-service': await identityOf('tasks').tokenFor('auth') };
    expect(outcome(await ask(paths.batchGetUsers, metadata))).toEqual(['UNAUTHENTICATED', 'TOKEN_INVALID']);
  });

  it('ignores credentials that do not hold on public methods', async () => {
    expect((await ask(paths.getJwks, { authorization: 'Bearer nonsense', 'x-taskflow-service': 'nonsense' })).code).toBe(status.OK);
    expect(lastActor).toEqual({ kind: 'anonymous' });
    expect((await ask(paths.getJwks, await bearer())).code).toBe(status.OK);
    expect(lastActor).toEqual({ kind: 'user', userId: 'user-1', role: 'user', sessionId: 'session-1' });
  });

  it('takes nobody for what other metadata says', async () => {
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
    expect(outcome(await ask(paths.getMe, claims))).toEqual(['UNAUTHENTICATED', 'CREDENTIALS_MISSING']);
    expect(outcome(await ask(paths.listUsers, { ...claims, ...(await bearer()) }))).toEqual(['PERMISSION_DENIED', 'ADMIN_REQUIRED']);
    expect(outcome(await ask(paths.batchGetUsers, { ...claims, ...(await bearer('admin')) }))).toEqual(['PERMISSION_DENIED', 'SERVICE_IDENTITY_REQUIRED']);
    await ask(paths.getJwks, claims);
    expect(lastActor).toEqual({ kind: 'anonymous' });
  });

  it('takes a service only by its own metadata, and a user only by "authorization"', async () => {
    const serviceToken = await identityOf('tasks').tokenFor('users');
    expect(outcome(await ask(paths.batchGetUsers, { authorization: `Bearer ${serviceToken}` }))).toEqual(['PERMISSION_DENIED', 'SERVICE_IDENTITY_REQUIRED']);
    expect(outcome(await ask(paths.batchGetUsers, { 'x-taskflow-service': 'tasks' }))).toEqual(['UNAUTHENTICATED', 'TOKEN_INVALID']);
    expect(outcome(await ask(paths.getMe, { 'x-taskflow-service': await userToken() }))).toEqual(['UNAUTHENTICATED', 'CREDENTIALS_MISSING']);
  });

  it('refuses other schemes than Bearer', async () => {
    expect(outcome(await ask(paths.getMe, { authorization: 'Basic dXNlcjpwYXNz' }))).toEqual(['UNAUTHENTICATED', 'TOKEN_INVALID']);
  });
});
