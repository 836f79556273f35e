import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { UnitOfWork } from '#libs/db';
import {
  createEventLog,
  currentPosition,
  positionBefore,
  positionBeforeEvent,
  readPart,
  renewIncarnation,
  type EventLog,
  type PartPage,
  type Position,
} from '#libs/events';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { newEvent, openWithTables } from './fixture/database.ts';

const beginning: Position = { incarnation: 0n, transactionId: 0n, eventId: 0n };

describe('one part of the log', () => {
  const used = useDatabase(openWithTables);
  let uow: UnitOfWork<EventLog>;
  let user: string;
  beforeAll(() => {
    uow = used.database.unitOfWork((em) => createEventLog(em, { channel: 'part_test', counterCount: 0 }));
  });
  beforeEach(async () => {
    user = randomUUID();
    await used.query('truncate log_incarnations, event_stream_heads, events, event_audience');
    await used.query(`update event_horizon set transaction_id = '0', event_id = 0`);
    // The first incarnation of this log begins; otherwise the first writer would begin it, and others wait for that.
    await currentPosition(used.database.reader);
  });

  const eventOf = (type: string, subjectId: string = randomUUID()) =>
    newEvent({ type, subjectId, actor: user, audience: [user] });
  const write = (...events: Parameters<EventLog['append']>[0]) => uow.run((log) => log.append(events));
  const read = (after = beginning, limit = 100): Promise<PartPage> =>
    readPart(used.database.reader, user, after, limit);
  const typesOf = ({ events }: PartPage): string[] => events.map(({ type }) => type);
  /** Until nothing is held back by transactions of other tests. */
  const readPages = async (after = beginning, limit = 100): Promise<PartPage[]> => {
    const [end] = await used.query<{ id: bigint }>(
      'select id from events order by transaction_id desc, id desc limit 1',
    );
    for (;;) {
      const pages = [await read(after, limit)];
      while (pages.at(-1)?.more === true) pages.push(await read(pages.at(-1)?.next, limit));
      if (pages.at(-1)?.next.eventId === end?.id) return pages;
    }
  };

  it('has what a user did alone as well, nothing of others, and its end lies behind everything', async () => {
    await write(eventOf('1'), newEvent({ type: 'of others' }), eventOf('2'), newEvent({ type: 'of others' }));
    const [page] = await readPages();
    expect(page && [typesOf(page), page.more, page.restored]).toEqual([['1', '2'], false, false]);
    await write(eventOf('3'));
    expect((await readPages(page?.next)).map(typesOf)).toEqual([['3']]);
  });

  it('has the earlier changes of a subject before a later one whose transaction began before theirs', async () => {
    const subject = randomUUID();
    const [began, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const late = uow.run(async (log) => {
      await log.append([eventOf('of another subject')]);
      began.resolve();
      await go.promise;
      await log.append([eventOf('third', subject)]);
    });
    await began.promise;
    await write(eventOf('first', subject));
    await write(eventOf('second', subject));
    go.resolve();
    await late;
    const pages = await readPages(beginning, 2);
    expect(pages.map(typesOf)).toEqual([['of another subject', 'first', 'second', 'third'], ['first', 'second'], []]);
  });

  it('is read on from one incarnation to the next', async () => {
    await write(eventOf('1'), eventOf('2'));
    const [page] = await readPages();
    await renewIncarnation(used.database.reader);
    await write(eventOf('3'));
    expect((await readPages()).flatMap(typesOf)).toEqual(['1', '2', '3']);
    expect((await readPages(page?.next)).flatMap(typesOf)).toEqual(['3']);
  });

  it('says so when the log has lost the position to a restore, and is read on from one that it has', async () => {
    await write(eventOf('kept'));
    await write(eventOf('lost'));
    const [page] = await readPages();
    await used.query("delete from events where type = 'lost'");
    const answer = await read(page?.next);
    expect(answer).toMatchObject({ events: [], restored: true, more: false });
    await write(eventOf('new'));
    expect((await readPages(page?.events[0]?.position)).flatMap(typesOf)).toEqual(['new']);
  });

  it('finds the position right before an event, also before the first of an incarnation', async () => {
    await write(eventOf('1'), eventOf('2'), eventOf('3'));
    await renewIncarnation(used.database.reader);
    await write(eventOf('4'), eventOf('5'));
    const events = (await readPages()).flatMap((page) => page.events);
    const behind = async (index: number): Promise<string[]> => {
      const place = await positionBeforeEvent(used.database.reader, events[index]?.position ?? beginning);
      return (await readPages(place)).flatMap(typesOf);
    };
    expect([await behind(0), await behind(2), await behind(3)]).toEqual([
      ['1', '2', '3', '4', '5'],
      ['3', '4', '5'],
      ['4', '5'],
    ]);
    expect(await positionBeforeEvent(used.database.reader, { ...beginning, eventId: 1n })).toBeUndefined();
  });

  it('finds a position before all events of a time', async () => {
    await write(...Array.from({ length: 9 }, (_, index) => eventOf(String(index))));
    await used.query(`update events set create_time = now() - make_interval(mins => 100 - 10 * type::int)`);
    const [fifth] = await used.query<{ create_time: Date }>("select create_time from events where type = '5'");
    const from = await positionBefore(used.database.reader, new Date(fifth?.create_time ?? 0));
    expect((await readPages(from)).flatMap(typesOf)).toEqual(['5', '6', '7', '8']);
    const first = await positionBefore(used.database.reader, new Date(0));
    expect((await readPages(first)).flatMap(typesOf)).toHaveLength(9);
    const last = await positionBefore(used.database.reader, new Date(Date.now() + 3_600_000));
    expect((await readPages(last)).flatMap(typesOf)).toEqual([]);
  });
});
