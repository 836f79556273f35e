import { afterAll, describe, expect, it } from '@jest/globals';
import { Role, type ListUsersRequest, type User } from '#contract/users/v1/users';
import { uuidv7 } from '#libs/db';
import { invalidFields, kindAndReason } from '#dev/testing';
import { profileStatements } from '../src/db/profile.reader.ts';
import { createUser, listAll } from './factories.ts';
import { startUsers } from './start-users.ts';

const many = 3000;
const service = await startUsers();
afterAll(service.stop);
const token = await service.tokenFor(uuidv7(), 'admin');
// One in 40 is an administrator, one in 60 is disabled; ten share each creation time.
await service.sql(
  `insert into profiles select gen_random_uuid(), md5(n::text) || '@example.com', case when n % 40 = 0 then 'admin' else 'user' end,
     n % 60 <> 0, 1, 'User ' || n, 'UTC', 'en', 1, timestamptz '2026-01-01' + (n / 10) * interval '1 ms', now()
   from generate_series(1, $1::int) n`,
  [many],
);
await service.sql('analyze profiles');

const { USER, ADMIN } = Role;
type Filter = Partial<Pick<ListUsersRequest, 'enabled' | 'roles' | 'query'>>;
const list = (filter: Filter, pageSize = 1000) => listAll(service, token, { ...filter, pageSize });
const ids = (users: User[]): string[] => users.map(({ id }) => id);

describe('ListUsers by kind', () => {
  it.each<Filter>([
    { enabled: true },
    { enabled: false },
    { roles: [ADMIN] },
    { roles: [USER] },
    { roles: [ADMIN, USER, ADMIN] },
    { roles: [ADMIN], enabled: false },
    { roles: [USER], enabled: false },
    { roles: [ADMIN], enabled: true },
    { roles: [ADMIN, USER], enabled: false, query: 'user 1' },
    { roles: [ADMIN], query: 'USER 2' },
  ])('%j: gives those of all users, in the same order, whatever the size of a page', async (filter) => {
    const { enabled, roles = [], query = '' } = filter;
    const expected = (await list({})).filter(
      (user) =>
        (enabled === undefined || user.enabled === enabled) &&
        (roles.length === 0 || roles.includes(user.role)) &&
        user.displayName.toLowerCase().startsWith(query.toLowerCase()),
    );
    expect(expected.length).toBeGreaterThan(0);
    expect(ids(await list(filter))).toEqual(ids(expected));
    expect(ids(await list(filter, Math.ceil(expected.length / 3)))).toEqual(ids(expected));
  });

  it('follows a change of the account', async () => {
    const user = await createUser(service, { accountVersion: 1n, displayName: 'Zoe' });
    const isListed = async (filter: Filter) => ids(await list({ ...filter, query: 'zoe' })).includes(user.userId);
    expect(await isListed({ enabled: false })).toBe(false);
    await createUser(service, { userId: user.userId, accountVersion: 2n, enabled: false, role: ADMIN });
    expect(await isListed({ enabled: false, roles: [ADMIN] })).toBe(true);
    expect(await isListed({ enabled: true })).toBe(false);
    expect(await isListed({ roles: [USER] })).toBe(false);
  });

  it('refuses a role that is none, and a page token with another filter', async () => {
    const refused = service.users.listUsers({ roles: [ADMIN, Role.UNSPECIFIED] }, { token });
    expect(await invalidFields(refused)).toEqual(['roles[1]']);
    const { nextPageToken } = await service.users.listUsers({ enabled: true, pageSize: 1 }, { token });
    for (const other of [{}, { enabled: false }, { enabled: true, roles: [USER] }])
      expect(await kindAndReason(service.users.listUsers({ ...other, pageToken: nextPageToken }, { token }))).toBe(
        'invalid_argument/PAGE_TOKEN_INVALID',
      );
    // All roles are no filter.
    const same = { enabled: true, roles: [USER, ADMIN], pageToken: nextPageToken, pageSize: 1 };
    expect((await service.users.listUsers(same, { token })).users).toHaveLength(1);
  });

  it('passes over nobody of another kind, however rare the wanted one is', async () => {
    const { kindsFirst, kindsAfter } = profileStatements;
    const kinds = `'{admin}'::text[], '{false}'::boolean[]`;
    const calls: [string, string, string][] = [
      [kindsFirst.text, 'int, text[], boolean[]', `51, ${kinds}`],
      [kindsAfter.text, 'int, timestamptz, uuid, text[], boolean[]', `51, '2027-01-01', gen_random_uuid(), ${kinds}`],
    ];
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      await service.sql(`set plan_cache_mode = ${mode}`);
      for (const [text, types, parameters] of calls) {
        await service.sql(`prepare explained (${types}) as ${text}`);
        const plan = JSON.stringify(await service.sql(`explain (analyze) execute explained (${parameters})`));
        await service.sql('deallocate explained');
        expect(plan).toContain('profiles_kind_idx');
        expect(plan).not.toMatch(/Seq Scan|Rows Removed by Filter/);
      }
    }
    await service.sql('reset plan_cache_mode');
  });
});
