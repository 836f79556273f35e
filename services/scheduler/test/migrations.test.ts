import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { migrate, openDatabase, schemaDrift, type DatabaseDefinition } from '#libs/db';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#libs/devcluster';
import { createLogger } from '#libs/runtime';
import { databaseDefinition } from '../src/db/database.ts';

describe('the migrations of the scheduler', () => {
  const logger = createLogger({ service: 'scheduler', level: 'silent' });
  let server: TestDatabase;
  let definition: DatabaseDefinition;
  beforeEach(async () => {
    server = await createDatabase(testPostgresUrl());
    definition = databaseDefinition(server.url);
  });
  afterEach(() => server.drop());

  async function drift(): Promise<string[]> {
    const database = await openDatabase({ ...definition, poolSize: 1, logger, applicationName: 'test' });
    try {
      return await schemaDrift(database);
    } finally {
      await database.close();
    }
  }

  it('lead from nothing to what the entities say, back to nothing, and there again', async () => {
    await migrate({ ...definition, logger });
    expect(await drift()).toEqual([]);
    await migrate({ ...definition, logger }, 'down');
    await migrate({ ...definition, logger });
    expect(await drift()).toEqual([]);
  });
});
