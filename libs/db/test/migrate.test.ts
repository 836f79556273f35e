import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { migrate, openDatabase, schemaDrift } from '#libs/db';
import { createDatabase, testPostgresUrl, waitUntil, type TestDatabase } from '#dev/cluster';
import { createLogger } from '#libs/runtime';
import { notesDefinition, openNotes, silent, withClient } from './fixture/notes.ts';

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
    const { rows } = await withClient(database.url, (client) =>
      client.query('select name from schema_migrations order by id'),
    );
    expect(rows).toEqual([{ name: '0001-notes' }, { name: '0002-notes-colour' }]);
  });

  it('reject when they fail, and leave nothing half done', async () => {
    await withClient(database.url, async (client) => {
      await client.query('create table idempotency_records (x int)');
      await expect(migrate({ ...notesDefinition, url: database.url, logger: silent })).rejects.toThrow();
      expect((await client.query(`select to_regclass('notes') as notes`)).rows).toEqual([{ notes: null }]);
    });
  });

  it('are waited for by the health check', async () => {
    const notes = await openDatabase({
      ...notesDefinition,
      url: database.url,
      poolSize: 1,
      logger: silent,
      applicationName: 'notes',
    });
    await expect(notes.check()).rejects.toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    await migrate({ ...notesDefinition, url: database.url, logger: silent });
    await notes.check();
    await notes.close();
  });
});

describe('a migration', () => {
  let database: TestDatabase;
  let client: Client;
  let folder: string;
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const logger = createLogger({ service: 'test', level: 'info', destination });
  const run = () => migrate({ url: database.url, entities: [], migrationsPath: folder, logger });
  const write = (name: string, statements: string[], base = 'Migration'): void =>
    writeFileSync(
      join(folder, `${name}.ts`),
      `import { ${base} } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
       export class Step extends ${base} { up() { for (const sql of ${JSON.stringify(statements)}) this.addSql(sql); } }`,
    );
  const names = async () =>
    (await client.query<{ name: string }>('select name from schema_migrations order by id')).rows.map(
      ({ name }) => name,
    );
  const createIndex = 'create unique index concurrently if not exists things_size on things (size)';
  const indexesText = `
    select indexrelid::regclass || case when indisvalid then '' else ' (invalid)' end as index
    from pg_index where indrelid = 'things'::regclass`;
  const indexes = async () => (await client.query<{ index: string }>(indexesText)).rows.map(({ index }) => index);

  beforeEach(async () => {
    database = await createDatabase(testPostgresUrl());
    client = new Client({ connectionString: database.url });
    await client.connect();
    folder = mkdtempSync(join(tmpdir(), 'taskflow-migrations-'));
    lines.length = 0;
    write('0001-things', ['create table things (size int)']);
  });
  afterEach(async () => {
    await client.end();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  it('is a transaction of its own: those before one that fails stay, and of that one nothing', async () => {
    write('0002-more', ['alter table things add colour text']);
    write('0003-broken', ['alter table things add weight int', 'select 1 / 0']);
    await expect(run()).rejects.toThrow();
    expect(await names()).toEqual(['0001-things', '0002-more']);
    const { fields } = await client.query('select * from things');
    expect(fields.map(({ name }) => name)).toEqual(['size', 'colour']);
  });

  it('can build an index beside those who write', async () => {
    write('0002-index', [createIndex], 'ConcurrentMigration');
    await run();
    expect(await indexes()).toEqual(['things_size']);
  });

  it('that was broken off while it built an index builds it anew', async () => {
    write('0002-index', [createIndex], 'ConcurrentMigration');
    await client.query('create table things (size int); insert into things values (1), (1)');
    write('0001-things', ['select 1']);
    await expect(run()).rejects.toThrow();
    expect([await names(), await indexes()]).toEqual([['0001-things'], ['things_size (invalid)']]);
    await client.query('truncate things');
    await run();
    expect([await names(), await indexes()]).toEqual([['0001-things', '0002-index'], ['things_size']]);
  });

  it('that does not get its lock lets others pass, and comes again', async () => {
    await run();
    write('0002-more', ['alter table things add colour text']);
    const reader = new Client({ connectionString: database.url });
    await reader.connect();
    await client.query('begin');
    await client.query('select * from things');
    const running = run();
    const waits = () => Promise.resolve(lines.filter(({ msg }) => msg === 'a migration waits for a lock').length);
    await waitUntil(waits, (count) => count > 0);
    // Its first try is over while the transaction is still open, and a later statement does not wait behind it.
    await reader.query('select * from things');
    await client.query('commit');
    await running;
    expect(await names()).toEqual(['0001-things', '0002-more']);
    await reader.end();
  });
});

/** Every table, column, constraint and index of the service, without the ORM's own record of migrations. */
async function describeSchema(url: string): Promise<unknown[]> {
  const text = `
    select table_name as owner, column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') as item
      from information_schema.columns where table_schema = 'public' and table_name <> 'schema_migrations'
    union all select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace and conrelid <> 'schema_migrations'::regclass
    union all select tablename, indexdef from pg_indexes where schemaname = 'public' and tablename <> 'schema_migrations'
    order by 1, 2`;
  return (await withClient(url, (client) => client.query(text))).rows;
}
