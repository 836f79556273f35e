import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLoader, type Loader } from '#libs/db';
import type { AppError } from '#libs/errors';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { openNotes, within } from './fixture/notes.ts';

interface Row {
  key: string;
  value: string;
}

describe('the loader', () => {
  const { query } = useDatabase((url) => openNotes(url, 4));
  /** The keys of each statement. */
  let statements: string[][];
  let loader: Loader<Row>;
  beforeAll(async () => {
    await query('create table "values" (key text primary key, value text, delay float)');
  });
  beforeEach(async () => {
    // The server ends the statements of the test before a moment after their callers.
    while ((await sleeping()).length > 0) await new Promise(setImmediate);
    await query('delete from "values"');
    await query(`insert into "values" select 'k' || n, 'v' || n, 0 from generate_series(1, 1200) n`);
    await query(`insert into "values" values ('slow', 'late', 3600), ('odd', 'x', 0)`);
    statements = [];
    loader = createLoader<Row>({
      name: 'load',
      read: (keys) => {
        statements.push([...keys]);
        // `case` fixes the order: the pause of another row must not be waited for.
        const text = `select key, value from "values" where case when key = any ($1::text[])
          then pg_sleep(delay) is not null and (key <> 'odd' or value::int > 0) else false end`;
        return query(text, keys);
      },
      keyOf: ({ key }) => key,
    });
  });

  const valueOf = async (key: string) => (await loader.load(key))?.value;
  const sleeping = () =>
    query(`select 1 from pg_stat_activity where datname = current_database() and state = 'active' and query like '%pg_sleep(delay)%'
      and pid <> pg_backend_pid()`);
  const begun = async (count: number): Promise<void> => {
    while (statements.length < count || (await sleeping()).length < count) await new Promise(setImmediate);
  };

  it('reads what is asked for together by one statement, each key once', async () => {
    const keys = ['k1', 'k2', 'nobody', 'k2'];
    expect(await Promise.all(keys.map(valueOf))).toEqual(['v1', 'v2', undefined, 'v2']);
    expect(statements).toEqual([['k1', 'k2', 'nobody']]);
  });

  it('asks for at most 500 keys at once', async () => {
    const keys = Array.from({ length: 1200 }, (_, n) => `k${n + 1}`);
    expect(await Promise.all(keys.map(valueOf))).toEqual(keys.map((key) => key.replace('k', 'v')));
    expect(statements.map(({ length }) => length)).toEqual([500, 500, 200]);
  });

  it('collects what comes while two statements are under way', async () => {
    const slow = new AbortController();
    const late: Promise<unknown>[] = [];
    for (const count of [1, 2]) {
      late.push(within(600_000, () => valueOf('slow'), slow.signal).catch(({ kind }: AppError) => kind));
      await begun(count);
    }
    const others = ['k1', 'k2', 'k3'].map(valueOf);
    expect(statements).toEqual([['slow'], ['slow']]);
    slow.abort();
    expect(await Promise.all(others)).toEqual(['v1', 'v2', 'v3']);
    expect(statements[2]).toEqual(['k1', 'k2', 'k3']);
    expect(await Promise.all(late)).toEqual(['cancelled', 'cancelled']);
  });

  it('serves a call that comes after those that waited have ended', async () => {
    const slow = new AbortController();
    const late: Promise<unknown>[] = [];
    for (const count of [1, 2]) {
      late.push(within(600_000, () => valueOf('slow'), slow.signal).catch(() => undefined));
      await begun(count);
    }
    const gone = new AbortController();
    const ended = within(600_000, () => valueOf('k1'), gone.signal);
    gone.abort();
    await expect(ended).rejects.toMatchObject({ kind: 'cancelled' });
    const next = within(5_000, () => valueOf('k2'));
    slow.abort();
    expect(await next).toBe('v2');
    await Promise.all(late);
  });

  it('sees what was committed before the call, while another statement reads the same key', async () => {
    const slow = new AbortController();
    const late = within(600_000, () => valueOf('slow'), slow.signal);
    await begun(1);
    await query(`update "values" set value = 'soon', delay = 0 where key = 'slow'`);
    expect(await valueOf('slow')).toBe('soon');
    slow.abort();
    await expect(late).rejects.toMatchObject({ kind: 'cancelled' });
  });

  it('ends at the deadline of each caller, without ending the statement of the others', async () => {
    await query(`update "values" set delay = 0.5 where key = 'slow'`);
    const patient = within(600_000, () => valueOf('slow'));
    const hasty = within(50, () => valueOf('slow'));
    await expect(hasty).rejects.toMatchObject({ kind: 'deadline_exceeded' });
    expect(await patient).toBe('late');
    expect(statements).toHaveLength(1);
  });

  it('ends the statement on the server when every caller has ended', async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const both = [one, other].map(({ signal }) => within(600_000, () => valueOf('slow'), signal));
    await begun(1);
    one.abort();
    await expect(both[0]).rejects.toMatchObject({ kind: 'cancelled' });
    expect(await sleeping()).toHaveLength(1);
    other.abort();
    await expect(both[1]).rejects.toMatchObject({ kind: 'cancelled' });
    while ((await sleeping()).length > 0) await new Promise(setImmediate);
    expect(await within(600_000, () => valueOf('k1'))).toBe('v1');
  });

  it('begins no statement for callers that have ended', async () => {
    const over = AbortSignal.abort();
    await expect(within(600_000, () => valueOf('k1'), over)).rejects.toMatchObject({ kind: 'cancelled' });
    expect(statements).toEqual([]);
  });

  it('gives each caller the error of the statement, and works on', async () => {
    const answers = await Promise.allSettled(['k1', 'odd'].map(valueOf));
    expect(answers.map((answer) => (answer as PromiseRejectedResult).reason)).toMatchObject([
      { kind: 'internal' },
      { kind: 'internal' },
    ]);
    expect(await valueOf('k1')).toBe('v1');
  });
});
