import { describe, expect, it } from '@jest/globals';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { openNotes, sleepingText, within } from './fixture/notes.ts';

/* The limits of 14 seconds: the server ends any statement after fifteen, so only the call can have ended it. */

describe('the reader', () => {
  const used = useDatabase((url) => openNotes(url, 2));

  const sleep = (seconds: number) => used.query('select pg_sleep($1)', seconds);
  const sleepForAnHour = () => sleep(3600);
  const sleeping = () => used.query(sleepingText);

  it('gives columns in the types of our code', async () => {
    const text = `select $1::int8 as large, '{1,-2}'::int8[] as many, '{}'::int8[] as none, '7'::xid8 as xid, '\\x00ff'::bytea as bytes,
      '2026-01-02T03:04:05.006Z'::timestamptz as time, '{a,"b,c"}'::text[] as labels, '{"a":1}'::jsonb as json, null::int8 as nothing`;
    expect(await used.query(text, 2n ** 62n)).toEqual([
      {
        large: 2n ** 62n,
        many: [1n, -2n],
        none: [],
        xid: 7n,
        bytes: Buffer.from([0, 255]),
        time: new Date('2026-01-02T03:04:05.006Z'),
        labels: ['a', 'b,c'],
        json: { a: 1 },
        nothing: null,
      },
    ]);
  });

  it('leaves no connection behind when its database is closed', async () => {
    const other = await openNotes(used.url, 1);
    const [own] = await other.reader.query<{ pid: number }>({ name: '', text: 'select pg_backend_pid() as pid' }, []);
    await other.close();
    const open = () => used.query('select 1 from pg_stat_activity where pid = $1', own?.pid);
    while ((await open()).length > 0) await new Promise(setImmediate);
  }, 14_000);

  it('ends at the deadline of the call, also on the server', async () => {
    await expect(within(150, sleepForAnHour)).rejects.toMatchObject({ kind: 'deadline_exceeded' });
    while ((await sleeping()).length > 0) await new Promise(setImmediate);
  }, 14_000);

  it('ends when the caller gives up, and leaves the pool whole', async () => {
    for (let round = 0; round < 6; round += 1) {
      const caller = new AbortController();
      const read = within(600_000, sleepForAnHour, caller.signal);
      const outcome = expect(read).rejects.toMatchObject({ kind: 'cancelled', reason: 'CANCELLED' });
      while ((await sleeping()).length === 0) await new Promise(setImmediate);
      caller.abort();
      await outcome;
      while ((await sleeping()).length > 0) await new Promise(setImmediate);
    }
    await Promise.all([sleep(0.01), sleep(0.01), sleep(0.01)]);
  }, 14_000);

  it('ends for a call that was over before a connection became free', async () => {
    const caller = new AbortController();
    const holders = [sleep(0.3), sleep(0.3)];
    const read = within(600_000, sleepForAnHour, caller.signal);
    caller.abort();
    await expect(read).rejects.toMatchObject({ kind: 'cancelled' });
    await Promise.all(holders);
    expect(await sleeping()).toEqual([]);
  });

  it('does not begin for a call that is over', async () => {
    const caller = new AbortController();
    caller.abort();
    const read = within(10_000, () => sleep(0), caller.signal);
    await expect(read).rejects.toMatchObject({ kind: 'cancelled' });
  });
});
