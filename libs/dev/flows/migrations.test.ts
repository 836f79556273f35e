import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { migrate, openDatabase, schemaDrift, type Database, type DatabaseDefinition } from '#libs/db';
import { createDatabase, programOf, serviceNames, testPostgresUrl, type TestDatabase } from '#dev/cluster';
import { createLogger } from '#libs/runtime';
import { checkMigrations } from '../../db/check/service-migrations.ts';

const logger = createLogger({ service: 'test', level: 'silent' });

describe.each(serviceNames)('the migrations of %s', (service) => {
  let server: TestDatabase;
  let definition: DatabaseDefinition;
  let database: Database;
  beforeAll(async () => {
    server = await createDatabase(testPostgresUrl());
    const module = new URL(`../../../services/${service}/src/db/database.ts`, import.meta.url).href;
    const { databaseDefinition } = (await import(module)) as {
      databaseDefinition: (url: string) => DatabaseDefinition;
    };
    definition = databaseDefinition(server.url);
    database = await openDatabase({ ...definition, poolSize: 1, logger, applicationName: 'test' });
  });
  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  it('D28: make of an empty database what the entities say, and can be taken back and repeated', async () => {
    await migrate({ ...definition, logger });
    expect(await schemaDrift(database)).toEqual([]);
    await migrate({ ...definition, logger }, 'down');
    const left = await database.reader.query(
      {
        name: 'tables',
        text: `select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations'`,
      },
      [],
    );
    expect(left).toEqual([]);
    await expect(database.check()).rejects.toThrow();
    await migrate({ ...definition, logger });
    expect(await schemaDrift(database)).toEqual([]);
    await database.check();
  });

  it('only expand what is released, and leave released ones as they were', async () => {
    expect(await checkMigrations(definition.migrationsPath)).toEqual([]);
  });

  it('D28: end with an exit code other than 0 when they cannot be run', async () => {
    const program = await programOf(`services/${service}/src/migrate.ts`);
    const setting = `TASKFLOW_${service.toUpperCase()}_DATABASE_URL`;
    const run = (env: Record<string, string>) =>
      spawnSync(process.execPath, [...program.execArgv, program.script], {
        env: { ...program.env, ...env },
        encoding: 'utf8',
      });
    const unreachable = run({ [setting]: Object.assign(new URL(server.url), { port: '1' }).href });
    expect(unreachable.status).toBe(1);
    expect(unreachable.stdout).toContain('migration failed');
    expect(run({}).status).toBe(1);
    expect(run({ [setting]: server.url }).status).toBe(0);
  });
});
