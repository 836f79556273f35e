import { createHash, createHmac, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { migrate, openDatabase, provision, type OwnedDatabase } from '#libs/db';
import { testPostgresUrl } from '#dev/cluster';
import { createLogger } from '#libs/runtime';
import { passwordVerifier } from '../src/service-role.ts';
import { notesDefinition, silent, withClient } from './fixture/notes.ts';

const logSettings = [
  'log_error_verbosity',
  'log_min_error_statement',
  'log_parameter_max_length',
  'log_parameter_max_length_on_error',
];

describe('provisioning', () => {
  let databases: OwnedDatabase[];
  let extraRoles: string[];
  beforeEach(() => {
    const run = randomBytes(4).toString('hex');
    databases = [
      urlOf('a', `Role "a" ${run}`, `it's; \\ "quoted" ${run}`, `Data "a" ${run}`),
      urlOf('b', `b_${run}`, 'p@ss:/word', `b_${run}`),
    ];
    extraRoles = [];
  });
  afterEach(() =>
    withClient(testPostgresUrl(), async (admin) => {
      for (const { url } of databases) {
        const { pathname, username } = new URL(url);
        await admin.query(
          `drop database if exists ${admin.escapeIdentifier(decodeURIComponent(pathname.slice(1)))} with (force)`,
        );
        await admin.query(`drop role if exists ${admin.escapeIdentifier(decodeURIComponent(username))}`);
      }
      for (const role of extraRoles) await admin.query(`drop role if exists ${role}`);
    }),
  );

  const own = async (entry: OwnedDatabase) =>
    withClient(entry.url, async (client) => (await client.query('create table if not exists mine (id int)')).command);

  it('gives each service a database that its role owns, whatever their names and passwords', async () => {
    await provision({ adminUrl: testPostgresUrl(), databases });
    for (const entry of databases) expect(await own(entry)).toBe('CREATE');
  });

  it('lets no role into the database of another', async () => {
    await provision({ adminUrl: testPostgresUrl(), databases });
    const intruder = new URL(databases[1]!.url);
    intruder.pathname = new URL(databases[0]!.url).pathname;
    await expect(withClient(intruder.href, async () => undefined)).rejects.toMatchObject({ code: '42501' });
  });

  it('may run again, also twice at the same time, and takes over a changed password', async () => {
    await Promise.all([
      provision({ adminUrl: testPostgresUrl(), databases }),
      provision({ adminUrl: testPostgresUrl(), databases }),
    ]);
    const changed = new URL(databases[1]!.url);
    changed.password = 'another';
    databases = [databases[0]!, { name: 'b', url: changed.href }];
    await provision({ adminUrl: testPostgresUrl(), databases });
    expect(await own(databases[1]!)).toBe('CREATE');
  });

  it('needs no superuser', async () => {
    const adminUrl = await createAdmin();
    await provision({ adminUrl, databases });
    await provision({ adminUrl, databases });
    for (const entry of databases) expect(await own(entry)).toBe('CREATE');
  });

  /** The URL of an administrator who is no superuser. */
  const createAdmin = async (): Promise<string> => {
    const role = `admin_${randomBytes(4).toString('hex')}`;
    extraRoles.push(role);
    await withClient(testPostgresUrl(), (admin) =>
      admin.query(`create role ${role} login createrole createdb password 'x'`),
    );
    return Object.assign(new URL(testPostgresUrl()), { username: role, password: 'x' }).href;
  };

  const settingsOf = async ({ url }: OwnedDatabase) =>
    withClient(url, async (client) => {
      const settings = logSettings.map((name) => `current_setting('${name}') as ${name}`);
      return (await client.query(`select ${settings.join(', ')}`)).rows[0];
    });
  const warningsOf = async ({ url }: OwnedDatabase): Promise<unknown[]> => {
    const lines: string[] = [];
    const logger = createLogger({
      service: 'test',
      level: 'warn',
      destination: { write: (line) => void lines.push(line) },
    });
    await migrate({ ...notesDefinition, url, logger: silent });
    const database = await openDatabase({ ...notesDefinition, url, poolSize: 2, logger, applicationName: 'notes' });
    await database.check();
    await database.check();
    await database.close();
    return lines.map((line) => (JSON.parse(line) as { settings: unknown }).settings);
  };

  it('keeps what people enter out of the log of the server, whatever else is logged', async () => {
    await provision({ adminUrl: testPostgresUrl(), databases });
    expect(await settingsOf(databases[0]!)).toEqual({
      log_error_verbosity: 'terse',
      log_min_error_statement: 'panic',
      log_parameter_max_length: '0',
      log_parameter_max_length_on_error: '0',
    });
    expect(await warningsOf(databases[0]!)).toEqual([]);
  });

  it('names the statements that only a superuser may run, and the service warns as long as nobody has', async () => {
    const adminUrl = await createAdmin();
    const provisionWithoutPower = async (): Promise<string[]> => {
      const lines: string[] = [];
      await provision({ adminUrl, databases, report: (line) => void lines.push(line) });
      return lines.flatMap((line) => /superuser runs: (.*)/.exec(line)?.[1] ?? []);
    };
    const missing = await provisionWithoutPower();
    expect(missing).toHaveLength(6);
    expect(await warningsOf(databases[1]!)).toEqual([
      ['log_error_verbosity', 'log_min_error_statement', 'log_parameter_max_length'],
    ]);
    await withClient(testPostgresUrl(), (admin) => admin.query(missing.join(';')));
    expect([await provisionWithoutPower(), await warningsOf(databases[1]!)]).toEqual([[], []]);
  });

  it('sends the server a verifier in the place of a password, the one of RFC 7677', () => {
    // The client's proof of the example, checked like a server: H(ClientSignature XOR ClientProof) is the stored key.
    const verifier = passwordVerifier('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
    const [, , storedKey, serverKey] = /^SCRAM-SHA-256\$(4096:.*)\$(.*):(.*)$/.exec(verifier) ?? [];
    const message =
      'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const sign = (key: string | undefined): Buffer =>
      createHmac('sha256', Buffer.from(key ?? '', 'base64'))
        .update(message)
        .digest();
    const clientKey = sign(storedKey).map(
      (byte, index) => byte ^ (Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64')[index] ?? 0),
    );
    expect(createHash('sha256').update(clientKey).digest('base64')).toBe(storedKey);
    expect(sign(serverKey).toString('base64')).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  });

  it('refuses two services on one database or with one role', async () => {
    const shared = [databases[0]!, { name: 'c', url: databases[0]!.url }];
    await expect(provision({ adminUrl: testPostgresUrl(), databases: shared })).rejects.toThrow(
      'a and c name the same role',
    );
  });
});

function urlOf(name: string, role: string, password: string, database: string): OwnedDatabase {
  const url = new URL(testPostgresUrl());
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  url.pathname = `/${encodeURIComponent(database)}`;
  return { name, url: url.href };
}
