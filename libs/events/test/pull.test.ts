import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createCredentials, type UnitOfWork } from '#libs/db';
import {
  createEventLog,
  createEventSignal,
  pullEvents,
  type EventBatch,
  type EventLog,
  type EventSignal,
  type Position,
} from '#libs/events';
import { waitUntil } from '#dev/cluster';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { newEvent, openWithTables, silent } from './fixture/database.ts';

describe('pulling events', () => {
  const used = useDatabase(openWithTables);
  let uow: UnitOfWork<EventLog>;
  beforeAll(() => {
    uow = used.database.unitOfWork((em) => createEventLog(em, { channel: 'pull_test', counterCount: 0 }));
  });
  beforeEach(() => used.query('truncate events, event_stream_heads'));

  const actor = randomUUID();
  const own = (type = 'own') => newEvent({ type, actor, audience: [actor] });
  const forOthers = (type = 'for others') => newEvent({ type, actor, audience: [actor, randomUUID()] });
  const write = (...events: Parameters<EventLog['append']>[0]) => uow.run((log) => log.append(events));
  const pull = (after?: Position, limit = 100) => pullEvents(used.database.reader, after, limit);
  /** Pages from the beginning to the end of the log, once nothing of it is held back by other tests' transactions. */
  const readPages = async (limit: number): Promise<EventBatch[]> => {
    const [end] = await used.query<{ id: bigint }>('select max(id) as id from events');
    for (;;) {
      const pages = [await pull(undefined, limit)];
      while (pages.at(-1)?.more === true) pages.push(await pull(pages.at(-1)?.next, limit));
      if (pages.at(-1)?.next?.eventId === end?.id) return pages;
    }
  };
  const typesOf = ({ events }: EventBatch) => events.map(({ type }) => type);

  it('returns the events that concern others than their actor, and passes over the rest', async () => {
    await write(own(), forOthers('1'), own(), forOthers('2'), own('last'), newEvent({ audience: [] }));
    const [page] = await readPages(100);
    expect(page && typesOf(page)).toEqual(['1', '2']);
    const [last] = await used.query<{ id: bigint }>('select max(id) as id from events');
    expect([page?.next?.eventId, page?.more]).toEqual([last?.id, false]);
  });

  it('returns what concerns its actor alone when it stands in a stream that the reader names, or names all', async () => {
    const streamId = randomUUID();
    await write(own('1'), newEvent({ type: '2', streamId, actor, audience: [actor] }), forOthers('3'));
    await readPages(100);
    expect(typesOf(await pullEvents(used.database.reader, undefined, 100, [streamId]))).toEqual(['2', '3']);
    expect(typesOf(await pullEvents(used.database.reader, undefined, 100, 'all'))).toEqual(['1', '2', '3']);
  });

  it('looks at no more events than the limit, and goes on behind those', async () => {
    await write(...Array.from({ length: 7 }, () => own()), forOthers('1'), own(), forOthers('2'));
    expect((await readPages(3)).map((page) => [typesOf(page), page.more])).toEqual([
      [[], true],
      [[], true],
      [['1'], true],
      [['2'], false],
    ]);
  });

  it('knows the position of an event that it passed over, until that is gone from the log', async () => {
    await write(own(), own());
    const { next } = (await readPages(100)).at(-1) as EventBatch;
    await write(forOthers('1'));
    const after = await waitUntil(
      () => pull(next),
      ({ events }) => events.length > 0,
    );
    expect([after.unknown, after.pruned, typesOf(after)]).toEqual([false, false, ['1']]);
    await used.query('delete from events where id = $1', next?.eventId);
    expect(await pull(next)).toMatchObject({ events: [], unknown: true });
  });

  it('returns every event of an earlier release, which does not say whom it concerns', async () => {
    await write(own('1'), forOthers('2'));
    await used.query('update events set concerns_others = null');
    expect((await readPages(100)).flatMap(typesOf)).toEqual(['1', '2']);
  });

  it('ends a page by the size of what it returns, not of what it passes over', async () => {
    const payload = Buffer.alloc(3 * 1_048_576);
    for (const event of [forOthers('1'), own(), own(), forOthers('2'), forOthers('3'), forOthers('4')])
      await write({ ...event, payload });
    expect((await readPages(100)).map(typesOf)).toEqual([['1', '2', '3'], ['4']]);
  });

  describe('a reader that waits', () => {
    // Nothing but an announcement ends a wait before its test's limit.
    const limitMs = 3_600_000;
    const never = new AbortController().signal;
    const signals: EventSignal[] = [];
    /** Listens to a channel of its own. The beginning of its connection, which wakes everybody, is over. */
    const listen = async (name: string): Promise<[EventSignal, typeof write]> => {
      const log = used.database.unitOfWork((em) => createEventLog(em, { channel: name, counterCount: 0 }));
      const listener = createEventSignal({ credentials: createCredentials(used.url), channel: name, logger: silent });
      signals.push(listener);
      await listener.wait(limitMs, never, 'others');
      return [listener, (...events) => log.run(({ append }) => append(events))];
    };
    afterEach(() => Promise.all(signals.splice(0).map((each) => each.stop())));

    it('for events that concern others sleeps on while none of these is announced', async () => {
      const [listener, announce] = await listen('pull_others');
      const order: string[] = [];
      const waiting = listener.wait(limitMs, never, 'others').then((announced) => order.push(`others ${announced}`));
      for (let round = 0; round < 3; round += 1) {
        const any = listener.wait(limitMs, never);
        await announce(own());
        order.push(`any ${await any}`);
      }
      await announce(own(), forOthers());
      await waiting;
      expect(order).toEqual(['any true', 'any true', 'any true', 'others true']);
    });

    it('is woken by an announcement of an earlier release, which does not say whom it concerns', async () => {
      const [listener] = await listen('pull_before');
      const waiting = listener.wait(limitMs, never, 'others');
      await used.query(`select pg_notify('pull_before', '')`);
      expect(await waiting).toBe(true);
    });
  });
});
