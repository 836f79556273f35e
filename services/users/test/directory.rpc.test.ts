import { afterAll, describe, expect, it } from '@jest/globals';
import { uuidv7 } from '#libs/db';
import { invalidFields } from '#dev/testing';
import { createUser, listAll } from './factories.ts';
import { startUsers } from './start-users.ts';

const total = 1200;
const service = await startUsers();
afterAll(service.stop);
const token = await service.tokenFor(uuidv7(), 'admin');
// Ten profiles share each creation time, so that the order inside a page needs more than the time.
await service.sql(
  `insert into profiles select gen_random_uuid(), 'u' || n || '@example.com', 'user', true, 1, 'User ' || n, 'UTC', 'en', 1,
     timestamptz '2026-01-01' + (n / 10) * interval '1 ms', now() from generate_series(1, $1::int) n`,
  [total],
);

describe('ListUsers', () => {
  it('D21: lists each user once over pages, also those with the same creation time', async () => {
    const users = await listAll(service, token, { pageSize: 97 });
    expect(new Set(users.map((user) => user.id)).size).toBe(total);
    expect(users).toHaveLength(total);
  });

  it('gives the newest first', async () => {
    const times = (await listAll(service, token, { pageSize: 500 })).map((user) => user.createTime?.getTime() ?? 0);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  it('lists all earlier users although others register between pages', async () => {
    const before = await listAll(service, token, { pageSize: 1000 });
    const during = await listAll(service, token, { pageSize: 100 }, () =>
      createUser(service, { accountCreateTime: new Date() }),
    );
    const seen = during.map((user) => user.id);
    expect(seen).toEqual(expect.arrayContaining(before.map((user) => user.id)));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('gives 50 by default, and at most 1000', async () => {
    expect((await service.users.listUsers({}, { token })).users).toHaveLength(50);
    expect((await service.users.listUsers({ pageSize: 2_000_000_000 }, { token })).users).toHaveLength(1000);
  });

  it('refuses a negative size', async () => {
    expect(await invalidFields(service.users.listUsers({ pageSize: -1 }, { token }))).toEqual(['page_size']);
  });

  it('refuses a changed page token, and one of another administrator', async () => {
    const { nextPageToken } = await service.users.listUsers({ pageSize: 10 }, { token });
    const other = await service.tokenFor(uuidv7(), 'admin');
    const flipped = nextPageToken.replace(/.(?=.{5}$)/, (letter) => (letter === 'A' ? 'B' : 'A'));
    const attempts = [
      [nextPageToken, other],
      [flipped, token],
      ['garbage', token],
    ] as const;
    for (const [pageToken, caller] of attempts) {
      await expect(service.users.listUsers({ pageToken }, { token: caller })).rejects.toMatchObject({
        kind: 'invalid_argument',
        reason: 'PAGE_TOKEN_INVALID',
        details: { violations: [{ field: 'page_token', description: expect.any(String) }] },
      });
    }
  });
});
