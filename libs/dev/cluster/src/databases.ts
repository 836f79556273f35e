import { randomBytes } from 'node:crypto';
import { Client, escapeIdentifier } from 'pg';

export interface TestDatabase {
  readonly url: string;
  /** Ends every session of the database and removes it. */
  drop(): Promise<void>;
}

/** Creates a database, owned by the administrator of the URL: an empty one, or a copy of the template. */
export async function createDatabase(adminUrl: string, template = 'template1'): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const quoted = escapeIdentifier(name);
  await queryDatabase(adminUrl, `CREATE DATABASE ${quoted} TEMPLATE ${escapeIdentifier(template)}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => void (await queryDatabase(adminUrl, `DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`)),
  };
}

/** Runs a statement on a connection of its own, and returns its rows. */
export async function queryDatabase<Row>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Row[];
  } finally {
    await client.end();
  }
}
