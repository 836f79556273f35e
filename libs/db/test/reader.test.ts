import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Database } from '#libs/db';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#libs/devcluster';
import { runInBackground } from '#libs/runtime';
import { openNotes, silent } from './fixture/notes.ts';

/** Below the fifteen seconds after which the server ends any statement by itself: only its call can have ended it before. */
const callLimitMs = 14_000;

describe('the reader', () => {
  let postgres: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    postgres = await createDatabase(testPostgresUrl());
    database = await openNotes(postgres.url, 2);
  });
  afterAll(async () => {
    await database.close();
    await postgres.drop();
  });

  const sleep = (seconds: number) => database.reader.query({ name: 'sleep', text: 'select pg_sleep($1)' }, [seconds]);
  const sleepForAnHour = () => sleep(3600);
  const sleeping = () => database.reader.query({ name: 'sleeping', text: `select 1 from pg_stat_activity where datname = current_database() and state = 'active' and query like 'select pg_sleep%'` }, []);

  it('gives columns in the types of our code', async () => {
    const text = `select $1::int8 as large, '{1,-2}'::int8[] as many, '{}'::int8[] as none, '7'::xid8 as xid, '\\x00ff'::bytea as bytes,
      '2026-01-02T03:04:05.006Z'::timestamptz as time, '{a,"b,c"}'::text[] as labels, '{"a":1}'::jsonb as json, null::int8 as nothing`;
    expect(await database.reader.query({ name: 'types', text }, [2n ** 62n])).toEqual([{
      large: 2n ** 62n, many: [1n, -2n], none: [], xid: 7n, bytes: Buffer.from([0, 255]),
      time: new Date('2026-01-02T03:04:05.006Z'), labels: ['a', 'b,c'], json: { a: 1 }, nothing: null,
    }]);
  });

  it('ends at the deadline of the call, also on the server', async () => {
    await expect(runInBackground({ name: 'short', logger: silent, timeoutMs: 150 }, sleepForAnHour)).rejects.toMatchObject({ kind: 'deadline_exceeded' });
    while ((await sleeping()).length > 0) await new Promise(setImmediate);
  }, callLimitMs);

  it('ends when the caller gives up, and leaves the pool whole', async () => {
    for (let round = 0; round < 6; round += 1) {
      const caller = new AbortController();
      const read = runInBackground({ name: 'abandoned', logger: silent, timeoutMs: 600_000, signal: caller.signal }, sleepForAnHour);
      const outcome = expect(read).rejects.toMatchObject({ kind: 'cancelled', reason: 'CANCELLED' });
      while ((await sleeping()).length === 0) await new Promise(setImmediate);
      caller.abort();
      await outcome;
      while ((await sleeping()).length > 0) await new Promise(setImmediate);
    }
    await Promise.all([sleep(0.01), sleep(0.01), sleep(0.01)]);
  }, callLimitMs);

  it('ends for a call that was over before a connection became free', async () => {
    const caller = new AbortController();
    const holders = [sleep(0.3), sleep(0.3)];
    const read = runInBackground({ name: 'waiting', logger: silent, timeoutMs: 600_000, signal: caller.signal }, sleepForAnHour);
    caller.abort();
    await expect(read).rejects.toMatchObject({ kind: 'cancelled' });
    await Promise.all(holders);
    expect(await sleeping()).toEqual([]);
  });

  it('does not begin for a call that is over', async () => {
    const caller = new AbortController();
    caller.abort();
    const read = runInBackground({ name: 'over', logger: silent, timeoutMs: 10_000, signal: caller.signal }, () => sleep(0));
    await expect(read).rejects.toMatchObject({ kind: 'cancelled' });
  });
});
