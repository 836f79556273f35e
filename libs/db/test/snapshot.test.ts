import { describe, expect, it } from '@jest/globals';
import type { SqlReader } from '#libs/db';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { openNotes, within } from './fixture/notes.ts';

const idleMs = 60_000;
const count = { name: 'count_notes', text: 'select count(*)::int as count from notes' };
const ownPid = { name: 'own_pid', text: 'select pg_backend_pid() as pid' };

describe('a snapshot', () => {
  const used = useDatabase((url) => openNotes(url, 2));

  const countNotes = async (reader: SqlReader): Promise<number> =>
    (await reader.query<{ count: number }>(count, []))[0]?.count ?? -1;
  const addNote = () =>
    used.query(
      `insert into notes (id, text, labels, size, version, create_time)
       select id, id::text, '{}', 1, 1, now() from (select gen_random_uuid() as id) new`,
    );

  it('shows what there was at its first statement, however much is written meanwhile', async () => {
    await addNote();
    const seen: number[] = [];
    const counts = used.database.snapshots.read(async function* (reader) {
      for (let read = 0; read < 3; read += 1) yield await countNotes(reader);
    }, idleMs);
    for await (const found of counts) {
      seen.push(found);
      await addNote();
    }
    expect(seen).toEqual([1, 1, 1]);
    expect(await countNotes(used.database.reader)).toBe(4);
  });

  it('writes nothing', async () => {
    const writes = used.database.snapshots.read(async function* (reader) {
      yield await reader.query({ name: 'delete_notes', text: 'delete from notes' }, []);
    }, idleMs);
    await expect(writes.next()).rejects.toMatchObject({ kind: 'internal' });
  });

  it('gives its connection back when its reader leaves', async () => {
    for (let round = 0; round < 4; round += 1) {
      const pids = used.database.snapshots.read(async function* (reader) {
        for (;;) yield await reader.query(ownPid, []);
      }, idleMs);
      expect((await pids.next()).done).toBe(false);
      await pids.return();
    }
    expect(await countNotes(used.database.reader)).toBeGreaterThan(0);
  });

  it('ends when its reader waits too long, and the process goes on', async () => {
    const pids = used.database.snapshots.read(async function* (reader) {
      for (;;) yield (await reader.query<{ pid: number }>(ownPid, []))[0]?.pid;
    }, 200);
    const { value: pid } = await pids.next();
    while ((await used.query('select from pg_stat_activity where pid = $1', pid)).length > 0)
      await new Promise(setImmediate);
    await expect(pids.next()).rejects.toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    expect(await countNotes(used.database.reader)).toBeGreaterThan(0);
  });

  it('ends at the deadline of its call', async () => {
    const read = () =>
      within(200, async () => {
        const sleeps = used.database.snapshots.read(async function* (reader) {
          yield await reader.query({ name: 'sleep', text: 'select pg_sleep(3600)' }, []);
        }, idleMs);
        await sleeps.next();
      });
    await expect(read()).rejects.toMatchObject({ kind: 'deadline_exceeded' });
  }, 14_000);
});
