import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createDatabase, queryDatabase } from './databases.ts';
import { testPostgresUrl } from './test-urls.ts';

const tablesOf = (url: string): Promise<unknown[]> =>
  queryDatabase(url, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);

describe('createDatabase', () => {
  it('gives an empty database that can be dropped while sessions are open', async () => {
    const database = await createDatabase(testPostgresUrl());
    const session = new Client({ connectionString: database.url });
    session.on('error', () => undefined);
    await session.connect();
    await session.query('CREATE TABLE note (id int)');

    expect(await tablesOf(database.url)).toEqual([{ tablename: 'note' }]);
    await database.drop();
    await expect(tablesOf(database.url)).rejects.toThrow('does not exist');
    await session.end().catch(() => undefined);
  });
});
