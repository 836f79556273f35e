import { afterAll, beforeAll } from '@jest/globals';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#dev/cluster';
import type { Database } from '#libs/db';

export interface UsedDatabase {
  /** Set before the first test, like `database`. */
  url: string;
  database: Database;
  query<Row = unknown>(text: string, ...values: unknown[]): Promise<Row[]>;
}

/** Gives the tests of a file or of a `describe` a database of their own, which `open` migrates and opens. */
export function useDatabase(open: (url: string) => Promise<Database>): UsedDatabase {
  let postgres: TestDatabase | undefined;
  const used = {
    query: (text, ...values) => used.database.reader.query({ name: '', text }, values),
  } as UsedDatabase;
  beforeAll(async () => {
    postgres = await createDatabase(testPostgresUrl());
    used.url = postgres.url;
    used.database = await open(postgres.url);
  });
  afterAll(async () => {
    await used.database?.close();
    await postgres?.drop();
  });
  return used;
}
