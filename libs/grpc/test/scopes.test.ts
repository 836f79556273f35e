import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestServer, type TestServer } from './cluster.ts';
import { RawClient } from './raw-client.ts';
import { paths, usersBinding } from './services.ts';

/** Takes "role/scope,scope" for a token with these scopes. */
const authenticate = async ({ authorization = '' }) => {
  const [role = '', scopes = ''] = authorization.split('/');
  const token = { id: 'token-1', scopes: scopes.split(',') };
  return {
    user: { kind: 'user', userId: 'user-1', role: role as 'user' | 'admin', sessionId: 'token-1', token } as const,
  };
};

let target: TestServer;
let raw: RawClient;
beforeAll(async () => {
  target = await startTestServer({ bindings: [usersBinding()], authenticate });
  raw = new RawClient(target.address);
});
afterAll(async () => {
  raw.close();
  await target.server.stop();
});

const call = (path: string, authorization: string) => raw.call(path, Buffer.alloc(0), { metadata: { authorization } });

describe('a personal token', () => {
  it('calls what its scopes name', async () => {
    expect((await call(paths.getMe, 'user/tasks:write,users:read')).outcome).toEqual(['OK', undefined]);
  });

  it('learns which scope is missing', async () => {
    const { outcome, details } = await call(paths.getMe, 'user/users:write,tasks:read,admin');
    expect(outcome).toEqual(['PERMISSION_DENIED', 'MISSING_SCOPE']);
    expect(details.ErrorInfo?.metadata).toEqual({ scope: 'users:read' });
  });

  it('calls no sensitive method, whatever its scopes and its role', async () => {
    const everything = 'admin/tasks:read,users:read,users:write,admin';
    expect((await call(paths.listUsers, everything)).outcome).toEqual(['PERMISSION_DENIED', 'SESSION_REQUIRED']);
  });
});
