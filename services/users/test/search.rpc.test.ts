import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidv7 } from '#libs/db';
import { profileStatements } from '../src/db/profile.reader.ts';
import { createUser } from './factories.ts';
import { startUsers, type TestUsers } from './start-users.ts';

const many = 20_000;
let service: TestUsers;
let token: string;
beforeAll(async () => {
  service = await startUsers();
  token = await service.tokenFor(uuidv7(), 'admin');
  // Creation times that hundreds share; names and e-mails as varied as in a directory.
  await service.sql(
    `insert into profiles select gen_random_uuid(), md5(n::text) || '@example.com', 'user', true, 1, md5((-n)::text), 'UTC', 'en', 1,
       timestamptz '2026-01-01' + (n / 200) * interval '1 ms', now() from generate_series(1, $1::int) n`,
    [many],
  );
  await service.sql('analyze profiles');
});
afterAll(() => service?.stop());

const marker = (): string => randomBytes(6).toString('hex');

async function find(query: string): Promise<string[]> {
  return (await service.users.listUsers({ query, pageSize: 1000 }, { token })).users.map(({ displayName }) => displayName);
}

async function listAll(query: string, pageSize: number, between: (page: number) => Promise<unknown> = () => Promise.resolve()): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = '';
  for (let page = 0; page === 0 || pageToken !== ''; page += 1) {
    const response = await service.users.listUsers({ query, pageSize, pageToken }, { token });
    ids.push(...response.users.map(({ id }) => id));
    pageToken = response.nextPageToken;
    await between(page);
  }
  return ids;
}

describe('B3: searching users', () => {
  it('finds by the beginning of the e-mail or of the display name, letter case aside', async () => {
    const mark = marker();
    await createUser(service, { displayName: `Żółw ${mark}`, email: `${mark}@example.com` });
    await createUser(service, { displayName: `${mark.toUpperCase()} Two`, email: `x-${mark}@example.com` });
    await createUser(service, { displayName: `Not ${mark}` });
    expect((await find(mark)).toSorted()).toEqual([`${mark.toUpperCase()} Two`, `Żółw ${mark}`].toSorted());
    expect(await find(`${mark.toUpperCase()}@EXAMPLE`)).toEqual([`Żółw ${mark}`]);
    expect(await find(`żÓŁW ${mark}`)).toEqual([`Żółw ${mark}`]);
    expect(await find(`${mark} three`)).toEqual([]);
  });

  it('takes wildcards and quotes as what they are', async () => {
    const mark = marker();
    const names = [`${mark}%`, `${mark}_a`, `${mark}\\b`, `${mark}'c`];
    for (const displayName of [...names, `${mark}xyz`]) await createUser(service, { displayName });
    for (const name of names) expect(await find(name)).toEqual([name]);
    for (const query of ['%', '_____', '\\', `%${mark}`, "' or true --"]) expect(await find(query)).toEqual([]);
  });

  it('finds what goes on with the last character there is', async () => {
    const displayName = `${marker()}\u{10ffff}\u{10ffff}z`;
    await createUser(service, { displayName });
    expect(await find(displayName.slice(0, 12))).toEqual([displayName]);
  });

  it.each(['a\u0000', 'x'.repeat(101), '\u001b[2J'])('refuses the query %j', async (query) => {
    await expect(service.users.listUsers({ query }, { token })).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      details: { violations: [{ field: 'query', description: expect.any(String) }] },
    });
  });

  it('refuses a page token with another query', async () => {
    const { nextPageToken } = await service.users.listUsers({ query: 'a', pageSize: 1 }, { token });
    expect(nextPageToken).not.toBe('');
    for (const query of ['b', '']) {
      await expect(service.users.listUsers({ query, pageToken: nextPageToken }, { token })).rejects.toMatchObject({
        kind: 'invalid_argument',
        reason: 'PAGE_TOKEN_INVALID',
      });
    }
  });

  it.each(['', 'a'])('loses and repeats nobody over pages of %j while others come and go', async (query) => {
    const before = await listAll(query, 1000);
    expect(before.length).toBeGreaterThan(1000);
    // Gone in between: some already listed, some not yet.
    const leaving = before.filter((_, index) => index % 50 === 7);
    const batchOf = (page: number): string[] => leaving.filter((_, index) => index % 8 === page % 8);
    const during = await listAll(query, Math.ceil(before.length / 9), async (page) => {
      await service.sql('delete from profiles where id = any ($1::uuid[])', [batchOf(page)]);
      await createUser(service, { displayName: `A newcomer ${page}`, accountCreateTime: new Date() });
      await createUser(service, { displayName: `A latecomer ${page}`, accountCreateTime: new Date('2020-01-01') });
    });
    const [wasThere, seen, left] = [new Set(before), new Set(during), new Set(leaving)];
    expect(seen.size).toBe(during.length);
    expect(before.filter((id) => !seen.has(id) && !left.has(id))).toEqual([]);
    expect(during.filter((id) => wasThere.has(id))).toEqual(before.filter((id) => seen.has(id)));
  });

  it('reads through the indexes, also when the plan was made for any query', async () => {
    const { searchFirst, searchAfter, listAfter } = profileStatements;
    const values: [string, string, string][] = [
      [searchFirst.text, 'int, text', `51, 'c4ca4238'`],
      [searchFirst.text, 'int, text', `51, 'c'`],
      [searchAfter.text, 'int, timestamptz, uuid, text', `51, '2026-01-01', gen_random_uuid(), 'c4ca'`],
      [listAfter.text, 'int, timestamptz, uuid', `51, '2026-01-01', gen_random_uuid()`],
    ];
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      await service.sql(`set plan_cache_mode = ${mode}`);
      for (const [text, types, given] of values) {
        await service.sql(`prepare explained (${types}) as ${text}`);
        const plan = JSON.stringify(await service.sql(`explain execute explained (${given})`));
        await service.sql('deallocate explained');
        expect(plan).toContain('Index');
        expect(plan).not.toContain('Seq Scan');
      }
    }
    await service.sql('reset plan_cache_mode');
  });
});
