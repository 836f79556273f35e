import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCredentials, openDatabase, provision, runStatement, type Database } from '#libs/db';
import { testPostgresUrl, waitUntil } from '#dev/cluster';
import type { AppError } from '#libs/errors';
import { notesDefinition, silent, withClient } from './fixture/notes.ts';

const name = `credentials_${randomBytes(4).toString('hex')}`;
const urlWith = (password: string): string =>
  Object.assign(new URL(testPostgresUrl()), { username: name, password, pathname: `/${name}` }).href;

const asAdmin = (text: string) => withClient(testPostgresUrl(), (admin) => admin.query(text));

describe('a database whose role gets another password', () => {
  let database: Database;
  const setPassword = (password: string) =>
    provision({ adminUrl: testPostgresUrl(), databases: [{ name: 'test', url: urlWith(password) }] });
  const endSessions = () => asAdmin(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${name}'`);
  const write = (): Promise<unknown> => database.unitOfWork((em) => em).run((em) => runStatement(em, 'select 1', []));
  const readOnce = (): Promise<unknown> => database.reader.query({ name: 'one', text: 'select 1' }, []);
  /** As many at once as the pool has connections, so that some are new. */
  const workInParallel = (): Promise<unknown> =>
    Promise.all(Array.from({ length: 6 }, () => [write(), readOnce()]).flat());
  beforeAll(async () => {
    await setPassword('one');
    database = await openDatabase({
      ...notesDefinition,
      url: urlWith('one'),
      previousUrls: [urlWith('two@ü:/')],
      poolSize: 6,
      logger: silent,
      applicationName: name,
    });
  });
  afterAll(async () => {
    await database?.close();
    await endSessions();
    await asAdmin(`drop database if exists ${name} with (force)`);
    await asAdmin(`drop role if exists ${name}`);
  });

  it('is reached with whichever of its passwords is valid, there and back, and no call fails', async () => {
    await workInParallel();
    for (const password of ['two@ü:/', 'one', 'two@ü:/']) {
      await setPassword(password);
      await endSessions();
      // The pool has noticed the end of its sessions, which is another fault that allows only one repeat.
      await waitUntil(() => readOnce().then(Boolean, () => false));
      await workInParallel();
    }
  });

  it('is refused as before when none is valid', async () => {
    await setPassword('three');
    await endSessions();
    const reasonOf = ({ reason }: AppError) => reason;
    await waitUntil(async () => (await readOnce().catch(reasonOf)) === 'DATABASE_UNAVAILABLE');
    await expect(write()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('gives every connection the password that was accepted last', async () => {
    const { connect, options } = createCredentials(urlWith('x'), [urlWith('y'), urlWith('z')]);
    const attempt = async (): Promise<string> => {
      const password = options.password();
      await Promise.resolve();
      if (password !== 'z') throw Object.assign(new Error('refused'), { code: '28P01' });
      return password;
    };
    expect(await Promise.all([connect(attempt), connect(attempt), connect(attempt)])).toEqual(['z', 'z', 'z']);
    expect(options.password()).toBe('z');
    await expect(connect(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  });
});
