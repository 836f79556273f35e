import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { provision, type OwnedDatabase } from '#libs/db';
import { testPostgresUrl } from '#libs/devcluster';

describe('provisioning', () => {
  let databases: OwnedDatabase[];
  let extraRoles: string[];
  beforeEach(() => {
    const run = randomBytes(4).toString('hex');
    databases = [urlOf('a', `Role "a" ${run}`, `it's; \\ "quoted" ${run}`, `Data "a" ${run}`), urlOf('b', `b_${run}`, 'p@ss:/word', `b_${run}`)];
    extraRoles = [];
  });
  afterEach(() =>
    as(testPostgresUrl(), async (admin) => {
      for (const { url } of databases) {
        const { pathname, username } = new URL(url);
        await admin.query(`drop database if exists ${admin.escapeIdentifier(decodeURIComponent(pathname.slice(1)))} with (force)`);
        await admin.query(`drop role if exists ${admin.escapeIdentifier(decodeURIComponent(username))}`);
      }
      for (const role of extraRoles) await admin.query(`drop role if exists ${role}`);
    }),
  );

  const own = async (entry: OwnedDatabase) => as(entry.url, async (client) => (await client.query('create table if not exists mine (id int)')).command);

  it('gives each service a database that its role owns, whatever their names and passwords', async () => {
    await provision({ adminUrl: testPostgresUrl(), databases });
    for (const entry of databases) expect(await own(entry)).toBe('CREATE');
  });

  it('lets no role into the database of another', async () => {
    await provision({ adminUrl: testPostgresUrl(), databases });
    const intruder = new URL(databases[1]!.url);
    intruder.pathname = new URL(databases[0]!.url).pathname;
    await expect(as(intruder.href, async () => undefined)).rejects.toMatchObject({ code: '42501' });
  });

  it('may run again, also twice at the same time, and takes over a changed password', async () => {
    await Promise.all([provision({ adminUrl: testPostgresUrl(), databases }), provision({ adminUrl: testPostgresUrl(), databases })]);
    const changed = new URL(databases[1]!.url);
    changed.password = 'another';
    databases = [databases[0]!, { name: 'b', url: changed.href }];
    await provision({ adminUrl: testPostgresUrl(), databases });
    expect(await own(databases[1]!)).toBe('CREATE');
  });

  it('needs no superuser', async () => {
    const role = `admin_${randomBytes(4).toString('hex')}`;
    extraRoles.push(role);
    await as(testPostgresUrl(), (admin) => admin.query(`create role ${role} login createrole createdb password 'x'`));
    const adminUrl = new URL(testPostgresUrl());
    adminUrl.username = role;
    adminUrl.password = 'x';
    await provision({ adminUrl: adminUrl.href, databases });
    await provision({ adminUrl: adminUrl.href, databases });
    for (const entry of databases) expect(await own(entry)).toBe('CREATE');
  });

  it('refuses two services on one database or with one role', async () => {
    const shared = [databases[0]!, { name: 'c', url: databases[0]!.url }];
    await expect(provision({ adminUrl: testPostgresUrl(), databases: shared })).rejects.toThrow('a and c name the same role');
  });
});

function urlOf(name: string, role: string, password: string, database: string): OwnedDatabase {
  const url = new URL(testPostgresUrl());
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  url.pathname = `/${encodeURIComponent(database)}`;
  return { name, url: url.href };
}

async function as<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
