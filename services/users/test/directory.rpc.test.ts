import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidv7 } from '#libs/db';
import { createUser } from './factories.ts';
import { startUsers, type TestUsers } from './start-users.ts';

const total = 1200;
let service: TestUsers;
let token: string;
beforeAll(async () => {
  service = await startUsers();
  token = await service.tokenFor(uuidv7(), 'admin');
  // Ten profiles share each creation time, so that the order inside a page needs more than the time.
  await service.sql(
    `insert into profiles select gen_random_uuid(), 'u' || n || '@example.com', 'user', true, 1, 'User ' || n, 'UTC', 'en', 1,
       timestamptz '2026-01-01' + (n / 10) * interval '1 ms', now() from generate_series(1, $1::int) n`,
    [total],
  );
});
afterAll(() => service?.stop());

async function listAll(pageSize: number, onPage: (page: number) => Promise<unknown> = () => Promise.resolve()): Promise<{ id: string; createTime?: Date | undefined }[]> {
  const users = [];
  let pageToken = '';
  for (let page = 0; page === 0 || pageToken !== ''; page += 1) {
    const response = await service.users.listUsers({ pageSize, pageToken }, { token });
    expect(response.users.length).toBeLessThanOrEqual(pageSize);
    users.push(...response.users);
    pageToken = response.nextPageToken;
    await onPage(page);
  }
  return users;
}

describe('ListUsers', () => {
  it('D21: loses and repeats nobody between pages, whoever shares a creation time', async () => {
    const users = await listAll(97);
    expect(new Set(users.map((user) => user.id)).size).toBe(total);
    expect(users).toHaveLength(total);
  });

  it('gives the newest first', async () => {
    const times = (await listAll(500)).map((user) => user.createTime?.getTime() ?? 0);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  it('stays complete for those who were there when others register in between', async () => {
    const before = await listAll(1000);
    const during = await listAll(100, () => createUser(service, { accountCreateTime: new Date() }));
    const seen = during.map((user) => user.id);
    expect(seen).toEqual(expect.arrayContaining(before.map((user) => user.id)));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('gives 50 when no size is named, and never more than 1000', async () => {
    expect((await service.users.listUsers({}, { token })).users).toHaveLength(50);
    expect((await service.users.listUsers({ pageSize: 2_000_000_000 }, { token })).users).toHaveLength(1000);
  });

  it('refuses a negative size', async () => {
    await expect(service.users.listUsers({ pageSize: -1 }, { token })).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      details: { violations: [{ field: 'page_size', description: expect.any(String) }] },
    });
  });

  it('refuses a page token that was changed, or that another administrator got', async () => {
    const { nextPageToken } = await service.users.listUsers({ pageSize: 10 }, { token });
    const other = await service.tokenFor(uuidv7(), 'admin');
    const flipped = nextPageToken.replace(/.(?=.{5}$)/, (letter) => (letter === 'A' ? 'B' : 'A'));
    const attempts = [[nextPageToken, other], [flipped, token], ['garbage', token]] as const;
    for (const [pageToken, caller] of attempts) {
      await expect(service.users.listUsers({ pageToken }, { token: caller })).rejects.toMatchObject({
        kind: 'invalid_argument',
        reason: 'PAGE_TOKEN_INVALID',
        details: { violations: [{ field: 'page_token', description: expect.any(String) }] },
      });
    }
  });
});
