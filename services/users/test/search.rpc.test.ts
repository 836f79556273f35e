import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { domainToASCII } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { uuidv7 } from '#libs/db';
import { createLogger } from '#libs/runtime';
import { startApp } from '../src/app.ts';
import { profileStatements } from '../src/db/profile.reader.ts';
import { invalidFields, kindAndReason } from '#dev/testing';
import { createUser, listAll } from './factories.ts';
import { startUsers } from './start-users.ts';

const many = 20_000;
const service = await startUsers();
afterAll(service.stop);
const token = await service.tokenFor(uuidv7(), 'admin');
// Creation times that hundreds share; names and e-mails as varied as in a directory.
await service.sql(
  `insert into profiles select gen_random_uuid(), md5(n::text) || '@example.com', 'user', true, 1, md5((-n)::text), 'UTC', 'en', 1,
     timestamptz '2026-01-01' + (n / 200) * interval '1 ms', now() from generate_series(1, $1::int) n`,
  [many],
);
await service.sql('analyze profiles');

const marker = (): string => randomBytes(6).toString('hex');

async function find(query: string): Promise<string[]> {
  return (await service.users.listUsers({ query, pageSize: 1000 }, { token })).users.map(
    ({ displayName }) => displayName,
  );
}

const listIds = async (query: string, pageSize: number, between?: (page: number) => Promise<unknown>) => {
  return (await listAll(service, token, { query, pageSize }, between)).map(({ id }) => id);
};

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

  it('finds an e-mail in every spelling of its mailbox, also one that an earlier release stored', async () => {
    const mark = marker();
    const request = { displayName: mark, email: `straße-${mark}@münchen-${mark}.example` };
    await createUser(service, request);
    const aLabel = domainToASCII(`münchen-${mark}.example`);
    const queries = [
      `STRASSE-${mark}`,
      `Straße-${mark}@MÜNCHEN`,
      `straße-${mark}@${aLabel}`,
      `strasse-${mark}@${aLabel.toUpperCase()}`.normalize('NFD'),
    ];
    for (const query of queries) expect(await find(query)).toEqual([mark]);
    expect(await find(`straße-${mark}@munchen`)).toEqual([]);
    // As an earlier release stored it.
    await service.sql('update profiles set mailbox = null where display_name = $1', [mark]);
    const replica = await startApp(service.config, { logger: createLogger({ service: 'users', level: 'fatal' }) });
    try {
      while (
        (await service.sql('select 1 from profiles where display_name = $1 and mailbox is not null', [mark])).length ===
        0
      )
        await pause(20);
    } finally {
      await replica.stop();
    }
    for (const query of queries) expect(await find(query)).toEqual([mark]);
  });

  it('treats wildcards and quotes as plain characters', async () => {
    const mark = marker();
    const names = [`${mark}%`, `${mark}_a`, `${mark}\\b`, `${mark}'c`];
    for (const displayName of [...names, `${mark}xyz`]) await createUser(service, { displayName });
    for (const name of names) expect(await find(name)).toEqual([name]);
    for (const query of ['%', '_____', '\\', `%${mark}`, "' or true --"]) expect(await find(query)).toEqual([]);
  });

  it('finds a name that goes on with the last Unicode character', async () => {
    const displayName = `${marker()}\u{10ffff}\u{10ffff}z`;
    await createUser(service, { displayName });
    expect(await find(displayName.slice(0, 12))).toEqual([displayName]);
  });

  it.each(['a\u0000', 'x'.repeat(101), '\u001b[2J'])('refuses the query %j', async (query) => {
    expect(await invalidFields(service.users.listUsers({ query }, { token }))).toEqual(['query']);
  });

  it('refuses a page token with another query', async () => {
    const { nextPageToken } = await service.users.listUsers({ query: 'a', pageSize: 1 }, { token });
    expect(nextPageToken).not.toBe('');
    for (const query of ['b', '']) {
      expect(await kindAndReason(service.users.listUsers({ query, pageToken: nextPageToken }, { token }))).toBe(
        'invalid_argument/PAGE_TOKEN_INVALID',
      );
    }
  });

  it.each(['', 'a'])('lists each user once over pages of %j while others come and go', async (query) => {
    const before = await listIds(query, 1000);
    expect(before.length).toBeGreaterThan(1000);
    // Gone in between: some already listed, some not yet.
    const leaving = before.filter((_, index) => index % 50 === 7);
    const batchOf = (page: number): string[] => leaving.filter((_, index) => index % 8 === page % 8);
    const during = await listIds(query, Math.ceil(before.length / 9), async (page) => {
      await service.sql('delete from profiles where id = any ($1::uuid[])', [batchOf(page)]);
      await createUser(service, { displayName: `A newcomer ${page}`, accountCreateTime: new Date() });
      await createUser(service, { displayName: `A latecomer ${page}`, accountCreateTime: new Date('2020-01-01') });
    });
    const [wasThere, seen, left] = [new Set(before), new Set(during), new Set(leaving)];
    expect(seen.size).toBe(during.length);
    expect(before.filter((id) => !seen.has(id) && !left.has(id))).toEqual([]);
    expect(during.filter((id) => wasThere.has(id))).toEqual(before.filter((id) => seen.has(id)));
  });

  it('uses the indexes, also with a generic plan', async () => {
    const { searchFirst, searchAfter, listAfter, kindsFirst, kindsAfter } = profileStatements;
    const position = `'2026-01-01', gen_random_uuid()`;
    const [kinds, given] = ['text[], boolean[]', `'{user,admin}', '{true}'`];
    const values: [string, string, string][] = [
      [searchFirst.text, `int, text, text, ${kinds}`, `51, 'c4ca4238', 'c4ca4238', ${given}`],
      [searchFirst.text, `int, text, text, ${kinds}`, `51, 'c', 'c', ${given}`],
      [searchAfter.text, `int, timestamptz, uuid, text, text, ${kinds}`, `51, ${position}, 'c4ca', 'c4ca', ${given}`],
      [listAfter.text, 'int, timestamptz, uuid', `51, ${position}`],
      [kindsFirst.text, `int, ${kinds}`, `51, ${given}`],
      [kindsAfter.text, `int, timestamptz, uuid, ${kinds}`, `51, ${position}, ${given}`],
    ];
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      await service.sql(`set plan_cache_mode = ${mode}`);
      for (const [text, types, parameters] of values) {
        await service.sql(`prepare explained (${types}) as ${text}`);
        const plan = JSON.stringify(await service.sql(`explain execute explained (${parameters})`));
        await service.sql('deallocate explained');
        expect(plan).toContain('Index');
        expect(plan).not.toContain('Seq Scan');
      }
    }
    await service.sql('reset plan_cache_mode');
  });
});
