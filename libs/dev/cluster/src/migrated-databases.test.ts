import { afterAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { queryDatabase } from './databases.ts';
import { createMigratedDatabase, provideMigratedDatabase } from './migrated-databases.ts';
import { testPostgresUrl } from './test-urls.ts';

const tables = `select relname as name, pg_get_userbyid(relowner) as owner from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'i', 'S') order by 1`;
const migrations = 'select name from schema_migrations order by 1';

describe('a copy of a migrated database', () => {
  const made: string[] = [];
  afterAll(async () => {
    for (const name of made) {
      await queryDatabase(testPostgresUrl(), `drop database if exists ${name} with (force)`);
      await queryDatabase(testPostgresUrl(), `drop role if exists ${name}`);
    }
  });

  /** A URL that nothing stands behind yet. */
  const newUrl = (): { name: string; url: string } => {
    const name = `copy_${randomBytes(4).toString('hex')}`;
    made.push(name);
    return {
      name,
      url: Object.assign(new URL(testPostgresUrl()), { username: name, password: 'p@ss:/word', pathname: `/${name}` })
        .href,
    };
  };

  it('belongs with all that is in it to the role of its URL, also when several are made at once', async () => {
    const copies = [newUrl(), newUrl(), newUrl()];
    await Promise.all(copies.map(({ url }) => provideMigratedDatabase(testPostgresUrl(), 'users', url)));

    for (const { name, url } of copies) {
      const found = await queryDatabase<{ name: string; owner: string }>(url, tables);
      expect(found.map((table) => table.name)).toEqual(expect.arrayContaining(['profiles', 'schema_migrations']));
      expect(new Set(found.map((table) => table.owner))).toEqual(new Set([name]));
      await queryDatabase(url, 'alter table profiles add column extra int');
      expect(
        await queryDatabase(
          url,
          'select pg_get_userbyid(datdba) as owner from pg_database where datname = current_database()',
        ),
      ).toEqual([{ owner: name }]);
    }
  });

  it('lets the role of no other copy in', async () => {
    const [one, other] = [newUrl(), newUrl()];
    for (const { url } of [one, other]) await provideMigratedDatabase(testPostgresUrl(), 'users', url);

    await expect(
      queryDatabase(Object.assign(new URL(one.url), { pathname: `/${other.name}` }).href, 'select 1'),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('is one of its own, at the head of the migrations', async () => {
    const [first, second] = [
      await createMigratedDatabase(testPostgresUrl(), 'users'),
      await createMigratedDatabase(testPostgresUrl(), 'users'),
    ];
    const head = await queryDatabase(first.url, migrations);
    expect(head).not.toEqual([]);
    await queryDatabase(first.url, 'drop table profiles');

    expect(await queryDatabase(second.url, 'select * from profiles')).toEqual([]);
    expect(await queryDatabase(second.url, migrations)).toEqual(head);
    await Promise.all([first.drop(), second.drop()]);
  });
});
