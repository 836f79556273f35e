import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { migrate, openDatabase, schemaDrift } from '#libs/db';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#libs/devcluster';
import { notesDefinition, openNotes, silent } from './fixture/notes.ts';

describe('migrations', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase(testPostgresUrl());
  });
  afterEach(async () => database.drop());

  it('bring an empty database to what the entities say', async () => {
    const notes = await openNotes(database.url);
    expect(await schemaDrift(notes)).toEqual([]);
    await notes.close();
  });

  it('leave nothing behind on the way down, and give the same schema on the way up again', async () => {
    const options = { ...notesDefinition, url: database.url, logger: silent };
    await migrate(options);
    const head = await describeSchema(database.url);
    await migrate(options, 'down');
    expect(await describeSchema(database.url)).toEqual([]);
    await migrate(options);
    expect(await describeSchema(database.url)).toEqual(head);
  });

  it('run once when several processes start at the same time', async () => {
    const options = { ...notesDefinition, url: database.url, logger: silent };
    await Promise.all(Array.from({ length: 4 }, () => migrate(options)));
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query('select name from schema_migrations order by id');
    await client.end();
    expect(rows).toEqual([{ name: '0001-notes' }, { name: '0002-notes-colour' }]);
  });

  it('reject when they fail, and leave nothing half done', async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('create table idempotency_records (x int)');
    await expect(migrate({ ...notesDefinition, url: database.url, logger: silent })).rejects.toThrow();
    const { rows } = await client.query(`select to_regclass('notes') as notes`);
    await client.end();
    expect(rows).toEqual([{ notes: null }]);
  });

  it('are waited for by the health check', async () => {
    const notes = await openDatabase({ ...notesDefinition, url: database.url, poolSize: 1, logger: silent, applicationName: 'notes' });
    await expect(notes.check()).rejects.toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    await migrate({ ...notesDefinition, url: database.url, logger: silent });
    await notes.check();
    await notes.close();
  });
});

/** Every table, column, constraint and index of the service, without the ORM's own record of migrations. */
async function describeSchema(url: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(`
    select table_name as owner, column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') as item
      from information_schema.columns where table_schema = 'public' and table_name <> 'schema_migrations'
    union all select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace and conrelid <> 'schema_migrations'::regclass
    union all select tablename, indexdef from pg_indexes where schemaname = 'public' and tablename <> 'schema_migrations'
    order by 1, 2`);
  await client.end();
  return rows;
}
