import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface TestDatabase {
  readonly url: string;
  /** Ends every session of the database and removes it. */
  drop(): Promise<void>;
}

/** Creates an empty database, owned by the administrator of the URL. Names are made up when left out. */
export async function createDatabase(adminUrl: string, name = `test_${randomBytes(8).toString('hex')}`): Promise<TestDatabase> {
  const quoted = `"${name.replaceAll('"', '""')}"`;
  await administer(adminUrl, `CREATE DATABASE ${quoted}`);
  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return { url: url.href, drop: async () => administer(adminUrl, `DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`) };
}

async function administer(adminUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
