import { afterAll, describe, expect, it } from '@jest/globals';
import { kindAndReason } from '#dev/testing';
import { generateKeyPair } from 'jose';
import { uuidv7 } from '#libs/db';
import { createUser, profileRequest } from './factories.ts';
import { startUsers } from './start-users.ts';

const service = await startUsers();
afterAll(service.stop);

describe('UsersService', () => {
  it('D6: lets administrators list users, and refuses others', async () => {
    const { token } = await createUser(service);
    expect(await kindAndReason(service.users.listUsers({}, { token }))).toBe('permission_denied/ADMIN_REQUIRED');
    expect(await kindAndReason(service.users.listUsers({}))).toBe('unauthenticated/CREDENTIALS_MISSING');
    const adminToken = await service.tokenFor(uuidv7(), 'admin');
    expect((await service.users.listUsers({}, { token: adminToken })).users).not.toHaveLength(0);
  });

  it('D2: accepts only access tokens', async () => {
    const { userId } = await createUser(service);
    const { privateKey } = await generateKeyPair('EdDSA');
    const tokens = [
      'tfr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
      await service.tokenFor(userId, 'user', { typ: 'JWT' }),
      await service.tokenFor(userId, 'user', { typ: 'rt+jwt' }),
      await service.tokenFor(userId, 'user', { key: privateKey }),
    ];
    for (const token of tokens) {
      expect(await kindAndReason(service.users.getMe({}, { token }))).toBe('unauthenticated/TOKEN_INVALID');
    }
  });
});

describe('InternalUsersService', () => {
  it('refuses users, administrators and anonymous callers', async () => {
    const tokens = [undefined, await service.tokenFor(uuidv7()), await service.tokenFor(uuidv7(), 'admin')];
    for (const token of tokens) {
      const options = token === undefined ? {} : { token };
      const refusal = { kind: 'permission_denied', reason: 'SERVICE_IDENTITY_REQUIRED' };
      await expect(service.internal.upsertProfile(profileRequest(), options)).rejects.toMatchObject(refusal);
      await expect(service.internal.batchGetUsers({ userIds: [uuidv7()] }, options)).rejects.toMatchObject(refusal);
    }
  });

  it("refuses services that are not on the method's list", async () => {
    await expect(
      service.internal.upsertProfile(profileRequest(), await service.asService('tasks')),
    ).rejects.toMatchObject({ kind: 'permission_denied', reason: 'CALLER_NOT_ALLOWED' });
    await expect(
      service.internal.batchGetUsers({ userIds: [uuidv7()] }, await service.asService('auth')),
    ).rejects.toMatchObject({ reason: 'CALLER_NOT_ALLOWED' });
  });
});
