import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Role } from '#contract/users/v1/users';
import { invalidFields } from '#dev/testing';
import { createUser, listAll, profileRequest } from './factories.ts';
import { startUsers, type TestUsers } from './start-users.ts';

let service: TestUsers;
beforeAll(async () => {
  service = await startUsers();
});
afterAll(() => service?.stop());

describe('a service account', () => {
  it('A17: is marked in its profile, in the directory and for other services, and has no e-mail', async () => {
    const bot = await createUser(service, { email: '', displayName: 'Backup', serviceAccount: true });
    const person = await createUser(service, { displayName: 'Ada' });
    const admin = await createUser(service, { role: Role.ADMIN });
    expect((await service.users.getMe({}, bot)).user).toMatchObject({ email: '', serviceAccount: true });
    expect((await service.users.getMe({}, person)).user).toMatchObject({ serviceAccount: false });
    const listed = await listAll(service, admin.token, { pageSize: 10, query: 'Backup' });
    expect(listed).toMatchObject([{ id: bot.userId, serviceAccount: true }]);
    const { users } = await service.internal.batchGetUsers(
      { userIds: [bot.userId, person.userId] },
      await service.asService('tasks'),
    );
    expect(users).toEqual([
      { id: bot.userId, displayName: 'Backup', enabled: true, serviceAccount: true },
      { id: person.userId, displayName: 'Ada', enabled: true, serviceAccount: false },
    ]);
  });

  it('is the only profile without an e-mail', async () => {
    const upsert = async (email: string) =>
      service.internal.upsertProfile(profileRequest({ email }), await service.asService('auth'));
    expect(await invalidFields(upsert(''))).toEqual(['email']);
    const wrong = { ...profileRequest({ email: 'ab', displayName: '' }) };
    const call = service.internal.upsertProfile(wrong, await service.asService('auth'));
    expect(await invalidFields(call)).toEqual(['display_name', 'email']);
  });
});
