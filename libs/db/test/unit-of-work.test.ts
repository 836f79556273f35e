import { beforeAll, describe, expect, it } from '@jest/globals';
import { runStatement, type UnitOfWork } from '#libs/db';
import { AppError } from '#libs/errors';
import { assertNoOpenTransaction } from '#libs/runtime';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import {
  createBarrier,
  Note,
  noteErrors,
  notes,
  openNotes,
  sleepingText,
  type Notes,
  within,
} from './fixture/notes.ts';

/* The limits of 18 seconds: a connection gives up on its server after twenty. */

describe('a unit of work', () => {
  const used = useDatabase((url) => openNotes(url, 4));
  let uow: UnitOfWork<Notes>;
  beforeAll(() => {
    uow = used.database.unitOfWork(notes, noteErrors);
  });

  const stored = (text: string) => used.query('select size from notes where text = $1', text);
  const openTransactions = () =>
    used.query(`select state from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`);
  const sleeping = () => used.query(sleepingText);
  /** Only its call can end it: the limits of the session and the transaction are off. */
  const sleepForAnHour = () =>
    uow.run(async ({ em }) => {
      await runStatement(em, 'set local statement_timeout = 0', []);
      await runStatement(em, 'select pg_sleep($1)', [3600]);
    });

  it('commits what the work did', async () => {
    await uow.run(async (repositories) => repositories.add('committed'));
    expect(await stored('committed')).toEqual([{ size: 2n ** 62n }]);
  });

  it('runs dry with the same result and the same errors, and leaves nothing', async () => {
    const text = await uow.dryRun(async (repositories) => repositories.add('rehearsed').text);
    expect([text, await stored('rehearsed')]).toEqual(['rehearsed', []]);
    await uow.run(async (repositories) => void repositories.add('there already'));
    await expect(uow.dryRun(async (repositories) => repositories.add('there already'))).rejects.toMatchObject({
      reason: 'EXTERNAL_ID_TAKEN',
    });
    expect(await openTransactions()).toEqual([]);
  });

  it('leaves nothing of work that threw, and gives the error on as it is', async () => {
    const error = new AppError('not_found', 'TASK_NOT_FOUND', 'no such task');
    const work = uow.run(async (repositories) => {
      repositories.add('rolled back');
      await repositories.em.flush();
      throw error;
    });
    await expect(work).rejects.toBe(error);
    expect(await stored('rolled back')).toEqual([]);
  });

  it('gives the error that a violated constraint stands for', async () => {
    await uow.run(async (repositories) => repositories.add('twice'));
    await expect(uow.run(async (repositories) => repositories.add('twice'))).rejects.toMatchObject({
      kind: 'already_exists',
      reason: 'EXTERNAL_ID_TAKEN',
    });
  });

  it('keeps statements and values out of the error and its causes', async () => {
    const plain = used.database.unitOfWork(notes);
    const text = 'confidential words';
    await plain.run(async (repositories) => repositories.add(text));
    const faults = [
      await plain.run(async (repositories) => repositories.add(text)).catch((error: unknown) => error),
      await plain.run(({ em }) => runStatement(em, `select $1::int`, [text])).catch((error: unknown) => error),
      await plain.run(({ em }) => em.execute(`select ?::uuid`, [text])).catch((error: unknown) => error),
      await plain.run(({ em }) => em.execute(`select no_such_column, ?`, [text])).catch((error: unknown) => error),
    ];
    for (const fault of faults) {
      expect(fault).toMatchObject({ kind: 'internal', reason: 'INTERNAL', message: 'internal error' });
      const cause = (fault as AppError).cause as Error;
      const everything = [cause.message, cause.stack, JSON.stringify(cause), JSON.stringify(fault)].join();
      expect(everything).not.toContain('confidential');
      expect(everything).not.toContain('insert into');
    }
  });

  it('refuses text with NUL before it becomes part of a statement', async () => {
    const refused = { kind: 'invalid_argument', reason: 'INVALID_FIELD' };
    await expect(uow.run(async (repositories) => repositories.add('half\0'))).rejects.toMatchObject(refused);
    await expect(uow.run(({ em }) => em.find(Note, { text: { $in: ['half\0'] } }))).rejects.toMatchObject(refused);
    await expect(uow.run(({ em }) => runStatement(em, 'select $1::text', ['half\0']))).rejects.toMatchObject(refused);
    await expect(stored('half\0')).rejects.toMatchObject(refused);
  });

  it('invariant 11: refuses network calls and a second unit of work inside', async () => {
    await expect(uow.run(async () => assertNoOpenTransaction('a call'))).rejects.toThrow(
      'a call inside a database transaction',
    );
    await expect(uow.run(() => uow.run(async () => undefined))).rejects.toThrow(
      'a unit of work inside a database transaction',
    );
  });

  it('invariant 11: repeats work that collided with a concurrent change of the same entity', async () => {
    const note = await uow.run(async (repositories) => repositories.add('contended'));
    const grow = () =>
      uow.run(async ({ em }) => {
        const current = await em.findOneOrFail(Note, note.id);
        current.size -= 1n;
      });
    await Promise.all([grow(), grow(), grow()]);
    expect(await stored('contended')).toEqual([{ size: 2n ** 62n - 3n }]);
  });

  it('invariant 11: repeats work that was chosen as the victim of a deadlock', async () => {
    const [a, b] = await uow.run(async (repositories) => [repositories.add('first'), repositories.add('second')]);
    const lockBoth = (ids: string[], meet: () => Promise<void>) =>
      uow.run(async ({ em }) => {
        await runStatement(em, 'select 1 from notes where id = $1 for update', [ids[0]]);
        await meet();
        await runStatement(em, 'select 1 from notes where id = $1 for update', [ids[1]]);
      });
    const meet = createBarrier(2);
    await Promise.all([lockBoth([a!.id, b!.id], meet), lockBoth([b!.id, a!.id], meet)]);
    expect(await openTransactions()).toEqual([]);
  });

  it('invariant 5: ends a statement at the deadline of the call', async () => {
    await expect(within(200, sleepForAnHour)).rejects.toMatchObject({ kind: 'deadline_exceeded' });
    while ((await sleeping()).length > 0) await new Promise(setImmediate);
    expect(await openTransactions()).toEqual([]);
  }, 18_000);

  it('gives the server no more time than the call has, so that a frozen process holds nothing up', async () => {
    const text = `select extract(epoch from current_setting('statement_timeout')::interval) * 1000 as ms`;
    const [row] = await within(10_000, () => uow.run(({ em }) => runStatement<{ ms: string }>(em, text, [])));
    expect(Number(row?.ms)).toBeGreaterThan(0);
    expect(Number(row?.ms)).toBeLessThanOrEqual(10_000);
  });

  it('invariant 5: cancels the running statement when the caller gives up', async () => {
    const caller = new AbortController();
    const work = within(600_000, sleepForAnHour, caller.signal);
    const outcome = expect(work).rejects.toMatchObject({ kind: 'cancelled', reason: 'CANCELLED' });
    while ((await sleeping()).length === 0) await new Promise(setImmediate);
    caller.abort();
    await outcome;
    while ((await sleeping()).length > 0) await new Promise(setImmediate);
  }, 18_000);

  it('invariant 5: does not commit for a caller that gave up', async () => {
    const caller = new AbortController();
    const work = within(
      30_000,
      () =>
        uow.run(async (repositories) => {
          repositories.add('too late');
          await repositories.em.flush();
          caller.abort();
        }),
      caller.signal,
    );
    await expect(work).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await stored('too late')).toEqual([]);
    expect(await openTransactions()).toEqual([]);
  });

  it('invariant 11: is ended by the server when its process does not end it in time', async () => {
    const stuck = within(200, () =>
      uow.run(async ({ em }) => {
        await runStatement(em, 'select 1', []);
        await waitUntil(async () => (await openTransactions()).length === 0);
      }),
    );
    await expect(stuck).rejects.toMatchObject({ kind: 'deadline_exceeded' });
  });

  it('invariant 11: repeats a conflict that does not end three times and no more', async () => {
    let attempts = 0;
    const conflict = uow.run(async ({ em }) => {
      attempts += 1;
      await runStatement(em, `do $$ begin raise exception 'always' using errcode = '40001'; end $$`, []);
    });
    await expect(conflict).rejects.toMatchObject({ kind: 'aborted', reason: 'WRITE_CONFLICT' });
    expect(attempts).toBe(4);
    expect(await openTransactions()).toEqual([]);
  });

  it('invariant 11: says that the server is busy when no connection becomes free', async () => {
    const released = Promise.withResolvers<void>();
    const holders = Array.from({ length: 4 }, () => uow.run(async () => released.promise));
    await expect(uow.run(async () => undefined)).rejects.toMatchObject({
      kind: 'resource_exhausted',
      reason: 'OVERLOADED',
    });
    released.resolve();
    await Promise.all(holders);
  });

  it('is refused after the database was closed, and opens no connection', async () => {
    const closed = await openNotes(used.url, 1);
    await closed.check();
    await closed.close();
    const work = closed.unitOfWork(notes);
    await expect(work.run(async () => undefined)).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'SHUTTING_DOWN',
    });
    await expect(closed.check()).rejects.toMatchObject({ kind: 'unavailable', reason: 'SHUTTING_DOWN' });
  });

  it('keeps every connection usable after all of these', async () => {
    const barrier = createBarrier(4);
    await Promise.all(Array.from({ length: 4 }, () => uow.run(barrier)));
  });
});

/** Runs outside of the call, whose end would end the question too. */
async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  while (!(await within(5000, condition))) await new Promise(setImmediate);
}
