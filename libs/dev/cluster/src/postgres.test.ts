import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { queryDatabase } from './databases.ts';
import { openGuard, type Guard } from './guard.ts';
import { choosePostgresUser } from './os-user.ts';
import { startPostgres, type PostgresOptions, type PostgresServer } from './postgres.ts';
import { isRunning, refOf } from './processes.ts';

describe('a private PostgreSQL', () => {
  let folder: string;
  let guard: Guard;
  const options = (): PostgresOptions => ({ dir: join(folder, 'postgres'), durable: false, guard });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'taskflow-postgres-'));
    chmodSync(folder, 0o711);
    guard = openGuard(folder);
  });

  afterEach(async () => {
    await guard.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('never runs as root', async () => {
    const server = await startPostgres(options());

    expect(statSync(join(folder, 'postgres', 'data')).uid).not.toBe(0);
    expect(await queryDatabase(server.adminUrl, 'SHOW data_directory')).toEqual([
      { data_directory: join(folder, 'postgres', 'data') },
    ]);
  });

  it('refuses a wrong password', async () => {
    const server = await startPostgres(options());
    const url = new URL(server.adminUrl);
    url.password = 'guessed';

    await expect(queryDatabase(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  it('keeps its data and its port over a stop and over a crash', async () => {
    const server = await startPostgres(options());
    const { port } = server;
    await queryDatabase(server.adminUrl, 'CREATE TABLE note AS SELECT 1 AS id');

    await server.stop();
    await server.start();
    await queryDatabase(server.adminUrl, 'INSERT INTO note VALUES (2)');
    await server.stop('immediate');
    await server.start();

    expect(server.port).toBe(port);
    expect(await queryDatabase(server.adminUrl, 'SELECT id FROM note ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('finds its data again in a later run', async () => {
    const first = await startPostgres(options());
    await queryDatabase(first.adminUrl, 'CREATE TABLE note AS SELECT 1 AS id');
    await first.stop();

    const second = await startPostgres(options());

    expect(await queryDatabase(second.adminUrl, 'SELECT id FROM note')).toEqual([{ id: 1 }]);
  });

  it('stops a server that an earlier run left on the same data', async () => {
    const leftover = await startPostgres(options());
    await queryDatabase(leftover.adminUrl, 'CREATE TABLE note AS SELECT 1 AS id');
    const leftoverProcess = refOf(leftover.pid);

    const server: PostgresServer = await startPostgres(options());

    expect(isRunning(leftoverProcess)).toBe(false);
    expect(await queryDatabase(server.adminUrl, 'SELECT id FROM note')).toEqual([{ id: 1 }]);
  });

  it('starts over a pid file whose pid belongs to another program now', async () => {
    const crashed = await startPostgres(options());
    await crashed.stop();
    writeFileSync(
      join(folder, 'postgres', 'data', 'postmaster.pid'),
      `${process.pid}\n${join(folder, 'postgres', 'data')}\n1\n5432\n\n127.0.0.1\n`,
    );

    const server = await startPostgres(options());

    expect(await queryDatabase(server.adminUrl, 'SELECT 1 AS answer')).toEqual([{ answer: 1 }]);
  });
});

describe('the user that PostgreSQL runs as', () => {
  const named =
    (...names: string[]) =>
    (name: string) =>
      names.includes(name) ? { name, uid: 7, gid: 7 } : undefined;

  it('is ourselves for an ordinary user', () => {
    expect(choosePostgresUser(1000, named('postgres', 'nobody'))).toBeUndefined();
  });

  it('is postgres for root, nobody where there is no postgres, and an error where there is neither', () => {
    expect(choosePostgresUser(0, named('postgres', 'nobody'))?.name).toBe('postgres');
    expect(choosePostgresUser(0, named('nobody'))?.name).toBe('nobody');
    expect(() => choosePostgresUser(0, named())).toThrow('run this as an ordinary user');
  });
});
