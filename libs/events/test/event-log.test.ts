import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createCredentials, schemaDrift, type UnitOfWork } from '#libs/db';
import {
  createEventLog,
  createEventSignal,
  pullEvents,
  readCounters,
  type EventLog,
  type Position,
} from '#libs/events';
import { runInBackground } from '#libs/runtime';
import { appendStatement } from '../src/event-log.ts';
import { createRandom } from '../../dev/testing/src/random.ts';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { newEvent, openWithTables, silent } from './fixture/database.ts';

const channel = 'events_test';

describe('the event log', () => {
  const used = useDatabase(openWithTables);
  let uow: UnitOfWork<EventLog>;
  beforeAll(() => {
    uow = used.database.unitOfWork((em) => createEventLog(em, { channel, counterCount: 3 }));
  });
  beforeEach(() => used.query('truncate events, event_stream_heads'));

  const event = (streamId: string, type = 'changed') => newEvent({ streamId, type, subjectVersion: 2n ** 60n });
  const sequences = async (streamId: string) => {
    const text = `
      select case when stream_id = $1 then sequence else other_sequence end as sequence
      from events where stream_id = $1 or other_stream_id = $1 order by id`;
    return (await used.query<{ sequence: bigint }>(text, streamId)).map((row) => Number(row.sequence));
  };
  /** Other tests' transactions in the same server may hold events back for a moment. */
  const pullAll = async (count: number) => {
    for (;;) {
      const { events } = await pullEvents(used.database.reader, undefined, 10_000);
      if (events.length >= count) return events;
    }
  };

  /** Until the newest event can be seen. */
  const pullAllPages = async (): Promise<void> => {
    for (;;) {
      const { next } = await pullEvents(used.database.reader, undefined, 1);
      if (next !== undefined) return;
    }
  };

  it('has the tables that its entities describe', async () => {
    expect(await schemaDrift(used.database)).toEqual([]);
  });

  it('prepares no statement under a name that PostgreSQL would cut short, and take for another one', () => {
    const nameWith = (...names: string[]): string => {
      const ctes = names.map((name) => ({ name, text: () => 'select 1' }));
      return appendStatement({ events: [event(randomUUID())], counters: [], counterCount: 3, ctes }).name;
    };
    const [long, longer] = ['x'.repeat(56), 'x'.repeat(57)];
    expect(nameWith(long)).toBe(`append ${long}`);
    expect(nameWith(longer)).toBe('');
  });

  it('returns what was recorded, with the id and the trace of the call', async () => {
    const { audience, ...recorded } = event(randomUUID());
    await runInBackground(
      { name: 'test', logger: silent, timeoutMs: 5000, requestId: 'call-7', traceParent: '00-trace' },
      () => uow.run((log) => log.append([{ ...recorded, audience }])),
    );
    expect(await pullAll(1)).toEqual([
      {
        ...recorded,
        sequence: 1n,
        callId: 'call-7',
        traceParent: '00-trace',
        createTime: expect.any(Date),
        position: { incarnation: expect.any(BigInt), transactionId: expect.any(BigInt), eventId: expect.any(BigInt) },
      },
    ]);
  });

  it('ends a page before it exceeds a message, but never without an event', async () => {
    const streamId = randomUUID();
    const sizes = [3, 3, 3, 3, 9, 1];
    await uow.run((log) =>
      log.append(sizes.map((megabytes) => ({ ...event(streamId), payload: Buffer.alloc(megabytes * 1_048_576) }))),
    );
    await pullAllPages();
    const pages: number[][] = [];
    for (let after: Position | undefined, more = true; more;) {
      const page = await pullEvents(used.database.reader, after, 100);
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

  it('gives an event of two streams a number in each of them', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const moved = { ...event(a, 'moved'), otherStreamId: b };
    await uow.run((log) =>
      log.append([event(b), event(a), moved, event(b), { ...event(b, 'back'), otherStreamId: a }]),
    );
    await uow.run((log) => log.append([event(a), event(b)]));
    const places = (await pullAll(7)).map(({ streamId, sequence, other }) =>
      [{ streamId, sequence }, other].map((place) => place && `${place.streamId === a ? 'a' : 'b'}${place.sequence}`),
    );
    expect(places).toEqual([
      ['b1', undefined],
      ['a1', undefined],
      ['a2', 'b2'],
      ['b3', undefined],
      ['b4', 'a3'],
      ['a4', undefined],
      ['b5', undefined],
    ]);
  });

  it('adds to counters, also of streams without an event, and to new counters of old streams', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    await uow.run((log) =>
      log.append(
        [event(a)],
        [
          { streamId: a, index: 0, by: 2 },
          { streamId: b, index: 1, by: 5 },
          { streamId: a, index: 0, by: 1 },
        ],
      ),
    );
    const grown = used.database.unitOfWork((em) => createEventLog(em, { channel, counterCount: 4 }));
    await grown.run((log) =>
      log.append(
        [],
        [
          { streamId: a, index: 3, by: 4 },
          { streamId: b, index: 1, by: -1 },
        ],
      ),
    );
    await uow.run((log) => log.append([], [{ streamId: a, index: 0, by: -1 }]));
    expect(await readCounters(used.database.reader, a)).toEqual({ sequence: 1n, counters: [2n, 0n, 0n, 4n] });
    expect(await readCounters(used.database.reader, b)).toEqual({ sequence: 0n, counters: [0n, 4n, 0n, 0n] });
    expect(await readCounters(used.database.reader, randomUUID())).toEqual({ sequence: 0n, counters: [] });
  });

  it('stays dense and exact under eight parallel writers, some of which roll back', async () => {
    const random = createRandom('writers');
    const streams = Array.from({ length: 4 }, () => randomUUID());
    const committed = new Map(streams.map((stream) => [stream, 0]));
    const counted = new Map<string, number>();
    const write = async (writer: number, round: number): Promise<void> => {
      const touched = random.shuffle(streams).slice(0, 1 + ((writer + round) % 3));
      const fails = round % 5 === 4;
      const run = uow.run(async (log) => {
        await log.append(
          touched.flatMap((stream, index) => [event(stream), { ...event(stream), otherStreamId: touched[index + 1] }]),
          touched.map((streamId) => ({ streamId, index: 0, by: 2 })),
        );
        if (fails) throw new Error('rolled back');
      });
      await (fails ? expect(run).rejects.toThrow('rolled back') : run);
      if (fails) return;
      for (const [index, stream] of touched.entries()) {
        committed.set(stream, (committed.get(stream) ?? 0) + (index === 0 ? 2 : 3));
        counted.set(stream, (counted.get(stream) ?? 0) + 2);
      }
    };
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let round = 0; round < 25; round += 1) await write(writer, round);
      }),
    );
    for (const stream of streams) {
      const count = committed.get(stream) ?? 0;
      expect((await sequences(stream)).toSorted((x, y) => x - y)).toEqual(
        Array.from({ length: count }, (_, index) => index + 1),
      );
      expect(await readCounters(used.database.reader, stream)).toEqual({
        sequence: BigInt(count),
        counters: [BigInt(counted.get(stream) ?? 0), 0n, 0n],
      });
    }
  });

  it('shows nothing of later transactions while an earlier one is unfinished, and then skips nothing', async () => {
    const [slowStream, fastStream] = [randomUUID(), randomUUID()];
    const written = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const slow = uow.run(async (log) => {
      await log.append([event(slowStream, 'slow')]);
      written.resolve();
      await finish.promise;
    });
    await written.promise;
    await uow.run((log) => log.append([event(fastStream, 'fast')]));
    expect(await pullAll(0)).toEqual([]);
    finish.resolve();
    await slow;
    expect((await pullAll(2)).map(({ type }) => type)).toEqual(['slow', 'fast']);
  });

  it('loses no event for a reader that follows parallel writers', async () => {
    const seen: string[] = [];
    const total = 8 * 20;
    const writers = Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let round = 0; round < 20; round += 1)
          await uow.run((log) => log.append([event(randomUUID(), `${writer}-${round}`)]));
      }),
    );
    let position: Position | undefined;
    while (seen.length < total) {
      const batch = await pullEvents(used.database.reader, position, 7);
      position = batch.next;
      seen.push(...batch.events.map(({ type }) => type));
    }
    await writers;
    expect(seen.length).toBe(total);
    expect(new Set(seen).size).toBe(total);
  });

  it('wakes readers that wait, also after their connection was lost', async () => {
    const signal = createEventSignal({ credentials: createCredentials(used.url), channel, logger: silent });
    const never = new AbortController().signal;
    const listening = () =>
      used.query<{ pid: number }>(`select pid from pg_stat_activity where datname = current_database()
        and application_name = 'listen ${channel}' and query like 'listen%' and state = 'idle'`);
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
    await used.query('select pg_terminate_backend($1)', lost);
    await wakesUp(lost);
    await signal.stop();
  });
});
