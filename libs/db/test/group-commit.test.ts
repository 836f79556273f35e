import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { once, runStatement, type EntityManager, type GroupPlan, type Once, type UnitOfWork } from '#libs/db';
import { AppError } from '#libs/errors';
import { assertNoOpenTransaction, currentContext } from '#libs/runtime';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { noteGroups, oneNote, type NoteWrite, type OneNote, type StoredNote } from './fixture/note-groups.ts';
import { createBarrier, noteErrors, openNotes, sleepingText, within, withClient } from './fixture/notes.ts';

const textCodec = {
  encode: (message: string) => ({ finish: () => new TextEncoder().encode(message) }),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};
const bodyCodec = { encode: ({ body }: { body: string }) => textCodec.encode(body) };
const onceOf = (idempotencyKey: string, body = ''): Once<string> =>
  once({ userId: 'user', method: 'Put', idempotencyKey }, { body }, bodyCodec, textCodec);

type Plan = GroupPlan<OneNote, StoredNote, NoteWrite>;

/* Works that begin in the same turn are one group. */

describe('group commit', () => {
  const poolSize = 4;
  const used = useDatabase((url) => openNotes(url, poolSize));
  let alone: UnitOfWork<OneNote>;
  let uow: UnitOfWork<OneNote>;
  const grouped = (changes: Partial<Plan>): UnitOfWork<OneNote> =>
    used.database.groupCommit({ ...noteGroups, ...changes }, alone);
  beforeAll(() => {
    alone = used.database.unitOfWork(oneNote, noteErrors);
    uow = grouped({});
  });

  const newNote = (text = randomUUID() as string): StoredNote => ({ id: randomUUID(), text, size: 0n });
  const add = (text?: string, key = '') => uow.run(({ put }) => put(newNote(text), `added ${text}`), onceOf(key, text));
  const grow = (id: string) =>
    uow.run(async ({ get, put }) => {
      const note = await get(id);
      return put({ ...note, size: note.size + 1n }, 'grown');
    });
  const fail = (error: Error, key = '') =>
    uow.run(async () => {
      throw error;
    }, onceOf(key));
  const stored = (...texts: string[]) =>
    used.query<{ text: string; size: bigint; seen_in: bigint }>(
      'select text, size, seen_in from notes where text = any ($1) order by text',
      texts,
    );
  const transactions = async (...texts: string[]) => new Set((await stored(...texts)).map((row) => row.seen_in)).size;
  const recordedKeys = async (...keys: string[]) =>
    (
      await used.query<{ request_id: string }>(
        'select request_id from idempotency_records where request_id = any ($1) order by request_id',
        keys,
      )
    ).map((row) => row.request_id);
  const openTransactions = () =>
    used.query(`select state from pg_stat_activity
      where datname = current_database() and (state like 'idle in transaction%' or wait_event_type = 'Lock')`);
  const sleeping = () => used.query(sleepingText);
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) await new Promise(setImmediate);
  };
  const outcomes = (works: readonly Promise<unknown>[]) =>
    Promise.all(works.map((work) => work.catch((error: unknown) => error)));

  it('is one transaction for works that arrive together', async () => {
    expect(await Promise.all(['a', 'b', 'c'].map((text) => add(text, `key ${text}`)))).toEqual([
      'added a',
      'added b',
      'added c',
    ]);
    expect(await transactions('a', 'b', 'c')).toBe(1);
    expect(await recordedKeys('key a', 'key b', 'key c')).toEqual(['key a', 'key b', 'key c']);
  });

  it('begins the first work at once, and makes what arrives meanwhile the next group', async () => {
    const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = uow.run(async ({ put }) => {
      begun.resolve();
      await released.promise;
      return put(newNote('first'), 'first');
    });
    await begun.promise;
    await Promise.all([add('later 1'), add('later 2')]);
    expect(await transactions('later 1', 'later 2')).toBe(1);
    released.resolve();
    expect(await first).toBe('first');
  });

  it('leaves nothing of a work that fails, and does not disturb the others', async () => {
    const error = new AppError('not_found', 'TASK_NOT_FOUND', 'no such task');
    const keys = ['good 1', 'bad', 'good 2'] as const;
    const [first, failed, second] = await outcomes([add('g1', keys[0]), fail(error, keys[1]), add('g2', keys[2])]);
    expect([first, second]).toEqual(['added g1', 'added g2']);
    expect(failed).toBe(error);
    expect(await transactions('g1', 'g2')).toBe(1);
    expect(await recordedKeys(...keys)).toEqual(['good 1', 'good 2']);
    expect(await add('now', keys[1])).toBe('added now');
  });

  it('commits nothing when all of its works fail', async () => {
    const error = new Error('no');
    expect(await outcomes([fail(error, 'x1'), fail(error, 'x2')])).toEqual([error, error]);
    expect(await recordedKeys('x1', 'x2')).toEqual([]);
    expect(await openTransactions()).toEqual([]);
  });

  it('gives recorded responses, refuses a key of another request, and carries out the rest', async () => {
    await add('once', 'known');
    const [again, reused, fresh] = await outcomes([add('once', 'known'), add('other', 'known 2'), add('new', 'fresh')]);
    expect([again, reused, fresh]).toEqual(['added once', 'added other', 'added new']);
    const [refusal] = await outcomes([add('different', 'known'), add('beside')]);
    expect(refusal).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    expect(await stored('once', 'different', 'beside')).toHaveLength(2);
  });

  it('makes twins in one moment one effect with one response', async () => {
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        uow.run(({ put }) => put(newNote(`twin ${index}`), `twin ${index}`), onceOf('twins', 'same')),
      ),
    );
    expect(new Set(responses).size).toBe(1);
    expect(await used.query(`select 1 from notes where text like 'twin %'`)).toHaveLength(1);
  });

  it('lets works on the same row take their turns', async () => {
    const note = newNote('popular');
    await uow.run(({ put }) => put(note, 'added'));
    await Promise.all(Array.from({ length: 10 }, () => grow(note.id)));
    expect(await stored('popular')).toMatchObject([{ size: 10n }]);
  });

  it('does not wait for a row that somebody else holds', async () => {
    const [held, free] = [newNote('held'), newNote('free')];
    for (const note of [held, free]) await uow.run(({ put }) => put(note, 'added'));
    await withClient(used.url, async (client) => {
      await client.query('begin');
      await client.query('select 1 from notes where id = $1 for update', [held.id]);
      const waiting = grow(held.id);
      await grow(free.id);
      expect(await stored('free')).toMatchObject([{ size: 1n }]);
      await client.query('rollback');
      await waiting;
    });
    expect(await stored('held')).toMatchObject([{ size: 1n }]);
  });

  it('carries each out alone when the statement fails for one of them', async () => {
    await add('taken');
    const [bad, good] = await outcomes([add('taken', 'k bad'), add('not taken', 'k good')]);
    expect(bad).toMatchObject({ kind: 'already_exists', reason: 'EXTERNAL_ID_TAKEN' });
    expect(good).toBe('added not taken');
    expect(await recordedKeys('k bad', 'k good')).toEqual(['k good']);
  });

  it('puts out works whose writes would collide, and commits the others', async () => {
    await add('collides');
    const careful = grouped({
      findCollisions: async (_, writes) => new Set(writes.filter(({ note }) => note.text === 'collides')),
    });
    const put = (text: string) => careful.run((notes) => notes.put(newNote(text), text));
    const [bad, ...good] = await outcomes([put('collides'), put('safe 1'), put('safe 2')]);
    expect(bad).toMatchObject({ reason: 'EXTERNAL_ID_TAKEN' });
    expect(good).toEqual(['safe 1', 'safe 2']);
    expect(await transactions('safe 1', 'safe 2')).toBe(1);
  });

  it('does not wait long for a lock that another transaction holds', async () => {
    await withClient(used.url, async (client) => {
      await client.query('begin');
      await client.query(`insert into notes (id, text, size, create_time) values ($1, 'disputed', 0, now())`, [
        randomUUID(),
      ]);
      const disputed = add('disputed');
      expect(await add('undisputed')).toBe('added undisputed');
      await client.query('rollback');
      expect(await disputed).toBe('added disputed');
    });
  });

  it('ends a short call in time and leaves out what it would have written', async () => {
    await withClient(used.url, async (client) => {
      await client.query('begin');
      await client.query(`insert into notes (id, text, size, create_time) values ($1, 'slow', 0, now())`, [
        randomUUID(),
      ]);
      const long = within(600_000, () => add('slow', 'long'));
      const short = within(100, () => add('short', 'short'));
      await expect(short).rejects.toMatchObject({ kind: 'deadline_exceeded' });
      await client.query('rollback');
      expect(await long).toBe('added slow');
    });
    expect(await stored('short')).toEqual([]);
    expect(await recordedKeys('long', 'short')).toEqual(['long']);
  });

  it('commits nothing of a call that ends after its write, and all of the others', async () => {
    const caller = new AbortController();
    const gone = within(
      600_000,
      () =>
        uow.run(async ({ put }) => {
          const response = await put(newNote('too late'), 'too late');
          caller.abort();
          return response;
        }, onceOf('gone')),
      caller.signal,
    );
    const [left, stays] = await outcomes([gone, within(600_000, () => add('in time', 'stays'))]);
    expect(left).toMatchObject({ kind: 'cancelled' });
    expect(stays).toBe('added in time');
    expect(await stored('in time', 'too late')).toMatchObject([{ text: 'in time' }]);
    expect(await recordedKeys('gone', 'stays')).toEqual(['stays']);
  });

  it('commits nothing of a call whose work fails after its write, and all of the others', async () => {
    const error = new Error('after all');
    const work = uow.run(async ({ put }) => {
      await put(newNote('regretted'), 'regretted');
      throw error;
    }, onceOf('regret'));
    expect(await outcomes([work, add('kept', 'kept')])).toEqual([error, 'added kept']);
    expect(await stored('kept', 'regretted')).toMatchObject([{ text: 'kept' }]);
    expect(await recordedKeys('kept', 'regret')).toEqual(['kept']);
  });

  it('cancels its statement when all callers have given up, and not before', async () => {
    const endless = grouped({
      write: async (em) => {
        await runStatement(em, 'set local statement_timeout = 0', []);
        await runStatement(em, 'select pg_sleep($1)', [3600]);
      },
    });
    const callers = [new AbortController(), new AbortController()] as const;
    const works = callers.map(({ signal }) =>
      within(600_000, () => endless.run(({ put }) => put(newNote(), '')), signal),
    );
    await until(async () => (await sleeping()).length > 0);
    callers[0].abort();
    await expect(works[0]).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await sleeping()).toHaveLength(1);
    callers[1].abort();
    await expect(works[1]).rejects.toMatchObject({ kind: 'cancelled' });
    await until(async () => (await sleeping()).length === 0);
    await until(async () => (await openTransactions()).length === 0);
  }, 18_000);

  const killSleeping = async (): Promise<void> => {
    const inSleep = `from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
    await until(async () => (await used.query(`select 1 ${inSleep}`)).length > 0);
    await used.query(`select pg_terminate_backend(pid) ${inSleep}`);
  };

  it('tells each that the database is away when its connection breaks', async () => {
    const dying = grouped({
      write: async (em, writes, ctes) => {
        await noteGroups.write(em, writes, ctes);
        await runStatement(em, 'select pg_sleep($1)', [3600]);
      },
    });
    const works = ['lost 1', 'lost 2'].map((text) => dying.run(({ put }) => put(newNote(text), text), onceOf(text)));
    const [both] = await Promise.all([outcomes(works), killSleeping()]);
    for (const each of both) expect(each).toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    expect(await stored('lost 1', 'lost 2')).toEqual([]);
    expect(await recordedKeys('lost 1', 'lost 2')).toEqual([]);
  });

  it('tells each that the database is away when its connection breaks during the commit', async () => {
    const sleep = async (em: EntityManager): Promise<void> => {
      await runStatement(
        em,
        `create function pg_temp.doze() returns trigger language plpgsql as
        $$ begin perform pg_sleep(3600); return null; end $$`,
        [],
      );
      await runStatement(em, `create temp table dozing (id int) on commit drop`, []);
      await runStatement(
        em,
        `create constraint trigger doze after insert on dozing deferrable initially deferred
        for each row execute function pg_temp.doze()`,
        [],
      );
      await runStatement(em, 'insert into dozing values (1)', []);
    };
    const dying = grouped({
      write: async (em, writes, ctes) => {
        await noteGroups.write(em, writes, ctes);
        await sleep(em);
      },
    });
    const works = ['unsure 1', 'unsure 2'].map((text) =>
      dying.run(({ put }) => put(newNote(text), text), onceOf(text)),
    );
    const [both] = await Promise.all([outcomes(works), killSleeping()]);
    for (const each of both) expect(each).toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    expect(await stored('unsure 1', 'unsure 2')).toEqual([]);
  });

  it('invariant 11: says that the server is busy when no connection becomes free', async () => {
    const released = Promise.withResolvers<void>();
    const holders = Array.from({ length: poolSize }, () => alone.run(async () => released.promise));
    for (const each of await outcomes([add('busy 1'), add('busy 2')]))
      expect(each).toMatchObject({ kind: 'resource_exhausted', reason: 'OVERLOADED' });
    released.resolve();
    await Promise.all(holders);
  });

  it('runs each work in its own call, without network calls and further transactions', async () => {
    const seen: (string | undefined)[] = [];
    const look = (name: string) =>
      within(5000, () =>
        uow.run(async ({ put }) => {
          seen.push(currentContext()?.requestId);
          return put(newNote(name), currentContext()?.requestId ?? '');
        }),
      );
    const ids = await Promise.all([look('call 1'), look('call 2')]);
    expect(new Set(ids).size).toBe(2);
    expect(seen).toEqual(ids);
    const [call, nested] = await outcomes([
      uow.run(async () => assertNoOpenTransaction('a call')),
      uow.run(() => uow.run(async () => undefined)),
    ]);
    expect(String(call)).toContain('a call inside a database transaction');
    expect(String(nested)).toContain('a unit of work inside a database transaction');
  });

  it('takes no more than fits into one statement', async () => {
    const size = 300_000;
    const texts = ['w', 'x', 'y', 'z'].map((letter) => letter.repeat(size));
    const large = texts.map((text) => newNote(text));
    // An index holds no such text.
    await used.query('alter table notes drop constraint notes_text_unique');
    await Promise.all(large.map((note) => uow.run(({ put }) => put(note, 'large'))));
    const rows = await used.query<{ seen_in: bigint }>('select seen_in from notes where length(text) = $1', size);
    expect([rows.length, new Set(rows.map((row) => row.seen_in)).size]).toEqual([4, 2]);
  });

  it('keeps every connection usable after all of these', async () => {
    const barrier = createBarrier(poolSize);
    await Promise.all(Array.from({ length: poolSize }, () => alone.run(barrier)));
  });
});
