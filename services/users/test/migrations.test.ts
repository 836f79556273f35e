import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { migrate, openDatabase, schemaDrift, type Database } from '#libs/db';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#libs/devcluster';
import { createLogger } from '#libs/runtime';
import { databaseDefinition } from '../src/db/database.ts';

const logger = createLogger({ service: 'users', level: 'fatal' });
let server: TestDatabase;
let database: Database;
beforeAll(async () => {
  server = await createDatabase(testPostgresUrl());
  database = await openDatabase({ ...databaseDefinition(server.url), poolSize: 2, logger, applicationName: 'test' });
});
afterAll(async () => {
  await database?.close();
  await server?.drop();
});

describe('the migrations of users', () => {
  it('D28: make of an empty database what the entities say, and can be taken back and repeated', async () => {
    const options = { ...databaseDefinition(server.url), logger };
    await migrate(options);
    expect(await schemaDrift(database)).toEqual([]);
    await migrate(options, 'down');
    const left = await database.reader.query({ name: 'tables', text: `select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'` }, []);
    expect(left).toEqual([]);
    await expect(database.check()).rejects.toThrow();
    await migrate(options);
    expect(await schemaDrift(database)).toEqual([]);
    await database.check();
  });

  it('D28: end with an exit code other than 0 when they cannot be run', () => {
    const command = fileURLToPath(new URL('../src/migrate.ts', import.meta.url));
    const url = Object.assign(new URL(server.url), { port: '1' }).href;
    const run = (env: Record<string, string>) => spawnSync(process.execPath, [command], { env, encoding: 'utf8' });
    const unreachable = run({ TASKFLOW_USERS_DATABASE_URL: url });
    expect(unreachable.status).toBe(1);
    expect(unreachable.stdout).toContain('migration failed');
    expect(run({}).status).toBe(1);
    expect(run({ TASKFLOW_USERS_DATABASE_URL: server.url }).status).toBe(0);
  });
});
