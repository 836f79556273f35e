import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { schemaDrift, type Database, type UnitOfWork } from '#libs/db';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#libs/devcluster';
import { createEventLog, createEventSignal, pullEvents, readCounters, type EventLog, type NewEvent, type Position } from '#libs/events';
import { runInBackground } from '#libs/runtime';
import { openWithTables, silent } from './fixture/database.ts';

const channel = 'events_test';

describe('the event log', () => {
  let postgres: TestDatabase;
  let database: Database;
  let uow: UnitOfWork<EventLog>;
  beforeAll(async () => {
    postgres = await createDatabase(testPostgresUrl());
    database = await openWithTables(postgres.url);
    uow = database.unitOfWork((em) => createEventLog(em, { channel, counterCount: 3 }));
  });
  beforeEach(() => database.orm.em.fork().execute('truncate events, event_stream_heads'));
  afterAll(async () => {
    await database.close();
    await postgres.drop();
  });

  const event = (streamId: string, type = 'changed'): NewEvent => ({
    streamId, type, subjectId: randomUUID(), subjectVersion: 2n ** 60n, actor: 'user', audience: [], payload: Buffer.from([0, 255]),
  });
  const sequences = async (streamId: string) =>
    (await database.reader.query<{ sequence: bigint }>({ name: 'sequences', text: 'select sequence from events where stream_id = $1 order by id' }, [streamId])).map((row) => Number(row.sequence));
  /** Other tests' transactions in the same server may hold events back for a moment. */
  const pullAll = async (count: number) => {
    for (;;) {
      const { events } = await pullEvents(database.reader, undefined, 10_000);
      if (events.length >= count) return events;
    }
  };

  /** Until the newest event can be seen. */
  const pullAllPages = async (): Promise<void> => {
    for (;;) {
      const { next } = await pullEvents(database.reader, undefined, 1);
      if (next !== undefined) return;
    }
  };

  it('has the tables that its entities describe', async () => {
    expect(await schemaDrift(database)).toEqual([]);
  });

  it('gives back what was recorded, with the id and the trace of the call', async () => {
    const { audience, ...recorded } = event(randomUUID());
    await runInBackground({ name: 'test', logger: silent, timeoutMs: 5000, callId: 'call-7', traceParent: '00-trace' }, () => uow.run((log) => log.append([{ ...recorded, audience }])));
    expect(await pullAll(1)).toEqual([
      { ...recorded, sequence: 1n, callId: 'call-7', traceParent: '00-trace', createTime: expect.any(Date), position: { transactionId: expect.any(BigInt), eventId: expect.any(BigInt) } },
    ]);
  });

  it('ends a page where it would not fit into a message, with one event at least', async () => {
    const streamId = randomUUID();
    const sizes = [3, 3, 3, 3, 9, 1];
    await uow.run((log) => log.append(sizes.map((megabytes) => ({ ...event(streamId), payload: Buffer.alloc(megabytes * 1_048_576) }))));
    await pullAllPages();
    const pages: number[][] = [];
    for (let after: Position | undefined, more = true; more; ) {
      const page = await pullEvents(database.reader, after, 100);
      pages.push(page.events.map(({ payload }) => payload.length / 1_048_576));
      ({ next: after, more } = page);
    }
    expect(pages).toEqual([[3, 3, 3], [3, 9], [1]]);
  });

  it('numbers each stream of one append on its own, in the given order', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    await uow.run((log) => log.append([event(a, '1'), event(b, '2'), event(a, '3'), event(a, '4'), event(b, '5')]));
    await uow.run((log) => log.append([event(b, '6'), event(a, '7')]));
    expect(await sequences(a)).toEqual([1, 2, 3, 4]);
    expect(await sequences(b)).toEqual([1, 2, 3]);
    expect((await pullAll(7)).map(({ type }) => type)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  it('adds to counters, also of streams without an event, and knows streams that grew', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    await uow.run((log) => log.append([event(a)], [{ streamId: a, index: 0, by: 2 }, { streamId: b, index: 1, by: 5 }, { streamId: a, index: 0, by: 1 }]));
    const grown = database.unitOfWork((em) => createEventLog(em, { channel, counterCount: 4 }));
    await grown.run((log) => log.append([], [{ streamId: a, index: 3, by: 4 }, { streamId: b, index: 1, by: -1 }]));
    await uow.run((log) => log.append([], [{ streamId: a, index: 0, by: -1 }]));
    expect(await readCounters(database.reader, a)).toEqual({ sequence: 1n, counters: [2n, 0n, 0n, 4n] });
    expect(await readCounters(database.reader, b)).toEqual({ sequence: 0n, counters: [0n, 4n, 0n, 0n] });
    expect(await readCounters(database.reader, randomUUID())).toEqual({ sequence: 0n, counters: [] });
  });

  it('stays dense and exact under eight parallel writers, some of which roll back', async () => {
    const streams = Array.from({ length: 4 }, () => randomUUID());
    const committed = new Map(streams.map((stream) => [stream, 0]));
    const write = async (writer: number, round: number): Promise<void> => {
      const touched = shuffled(streams).slice(0, 1 + ((writer + round) % 3));
      const fails = round % 5 === 4;
      const run = uow.run(async (log) => {
        await log.append(touched.flatMap((stream) => [event(stream), event(stream)]), touched.map((streamId) => ({ streamId, index: 0, by: 2 })));
        if (fails) throw new Error('rolled back');
      });
      await (fails ? expect(run).rejects.toThrow('rolled back') : run);
      if (!fails) for (const stream of touched) committed.set(stream, (committed.get(stream) ?? 0) + 2);
    };
    await Promise.all(Array.from({ length: 8 }, async (_, writer) => {
      for (let round = 0; round < 25; round += 1) await write(writer, round);
    }));
    for (const stream of streams) {
      const count = committed.get(stream) ?? 0;
      expect((await sequences(stream)).toSorted((x, y) => x - y)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
      expect(await readCounters(database.reader, stream)).toEqual({ sequence: BigInt(count), counters: [BigInt(count), 0n, 0n] });
    }
  });

  it('shows nothing of later transactions while an earlier one is unfinished, and then skips nothing', async () => {
    const [slowStream, fastStream] = [randomUUID(), randomUUID()];
    const written = gateOf();
    const finish = gateOf();
    const slow = uow.run(async (log) => {
      await log.append([event(slowStream, 'slow')]);
      written.open();
      await finish.opened;
    });
    await written.opened;
    await uow.run((log) => log.append([event(fastStream, 'fast')]));
    expect(await pullAll(0)).toEqual([]);
    finish.open();
    await slow;
    expect((await pullAll(2)).map(({ type }) => type)).toEqual(['slow', 'fast']);
  });

  it('loses no event for a reader that follows parallel writers', async () => {
    const seen: string[] = [];
    const total = 8 * 20;
    const writers = Promise.all(Array.from({ length: 8 }, async (_, writer) => {
      for (let round = 0; round < 20; round += 1) await uow.run((log) => log.append([event(randomUUID(), `${writer}-${round}`)]));
    }));
    let position: Position | undefined;
    while (seen.length < total) {
      const batch = await pullEvents(database.reader, position, 7);
      position = batch.next;
      seen.push(...batch.events.map(({ type }) => type));
    }
    await writers;
    expect(seen.length).toBe(total);
    expect(new Set(seen).size).toBe(total);
  });

  it('wakes readers that wait, also after their connection was lost', async () => {
    const signal = createEventSignal({ url: postgres.url, channel, logger: silent });
    const never = new AbortController().signal;
    const listening = () =>
      database.reader.query<{ pid: number }>({ name: 'listening', text: `select pid from pg_stat_activity where datname = current_database() and application_name = 'listen ${channel}' and query like 'listen%' and state = 'idle'` }, []);
    // Nothing but an announcement ends the wait before this test's limit.
    const wakesUp = async (lost?: number): Promise<number> => {
      let listener: number | undefined;
      while (listener === undefined) listener = (await listening()).find(({ pid }) => pid !== lost)?.pid;
      const woken = signal.wait(3_600_000, never);
      await uow.run((log) => log.append([event(randomUUID())]));
      await woken;
      return listener;
    };
    const lost = await wakesUp();
    await database.reader.query({ name: 'terminate', text: 'select pg_terminate_backend($1)' }, [lost]);
    await wakesUp(lost);
    await signal.stop();
  });
});

function shuffled<T>(items: readonly T[]): T[] {
  return items.map((item) => ({ item, key: Math.random() })).sort((a, b) => a.key - b.key).map(({ item }) => item);
}

function gateOf(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
