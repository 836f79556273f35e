import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runStatement, type EntityManager, type UnitOfWork } from '#libs/db';
import { waitUntil } from '#dev/cluster';
import { AppError } from '#libs/errors';
import {
  createCursorRepository,
  createEventLog,
  createEventConsumer,
  pruneEvents,
  pullEvents,
  type CursorRepository,
  type EventBatch,
  type EventLog,
  type Position,
  type EventConsumer,
  type StoredEvent,
} from '#libs/events';
import { createLogger } from '#libs/runtime';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { newEvent, openWithTables, silent } from './fixture/database.ts';

interface Repositories {
  cursor: CursorRepository;
  em: EntityManager;
}
type Options = Parameters<typeof createEventConsumer<Repositories, StoredEvent>>[0];
type Handle = (events: StoredEvent[], repositories: Repositories) => Promise<void>;

/** The effect of an event; without a key, so that doing it twice would show. */
async function recordEffects(events: StoredEvent[], { em }: Repositories): Promise<void> {
  await runStatement(em, 'insert into effects (type) select unnest($1::text[])', [events.map(({ type }) => type)]);
}

describe('an event consumer', () => {
  const used = useDatabase((url) => openWithTables(url, 12));
  let log: UnitOfWork<EventLog>;
  let uow: UnitOfWork<Repositories>;
  let consumers: EventConsumer[];
  beforeAll(async () => {
    log = used.database.unitOfWork((em) => createEventLog(em, { channel: 'consumer_test', counterCount: 0 }));
    uow = used.database.unitOfWork((em) => ({ cursor: createCursorRepository(em), em }));
    await used.query('create table effects (id bigint generated always as identity, type text)');
  });
  beforeEach(async () => {
    consumers = [];
    await used.query('truncate events, event_stream_heads, event_cursors, parked_events, effects');
  });
  afterEach(() => Promise.all(consumers.map((consumer) => consumer.stop())));

  const write = (types: string[], changes: Parameters<typeof newEvent>[0] = {}) =>
    log.run((events) => events.append(types.map((type) => newEvent({ type, payload: Buffer.from(type), ...changes }))));
  /** Writes an event that concerns nobody but its actor, and returns its id. */
  const writeOwn = async (): Promise<bigint> => {
    await write(['own'], { audience: [] });
    const [last] = await used.query<{ id: bigint }>('select max(id) as id from events');
    return last?.id ?? 0n;
  };
  /** With the transaction that wrote it last. */
  const cursor = async () =>
    (
      await used.query<{ eventId: bigint; xmin: string }>('select event_id as "eventId", xmin::text from event_cursors')
    )[0];
  const effects = async () =>
    (await used.query<{ type: string }>('select type from effects order by id')).map(({ type }) => type);
  const deadLetters = () => used.query('select event, error from parked_events');
  /** The position that was asked for last. */
  let asked: Position | undefined;
  const pull = async (after: Position | undefined): Promise<EventBatch> => {
    asked = after;
    const batch = await pullEvents(used.database.reader, after, 16);
    if (batch.pruned) throw new AppError('out_of_range', 'EVENTS_COMPACTED', 'some were missed');
    return batch;
  };
  const untilAskedAfter = (eventId: bigint) =>
    waitUntil(
      () => asked,
      (position) => position?.eventId === eventId,
    );
  const start = (handle: Handle, logger = silent, changes: Partial<Options> = {}) => {
    const consumer = createEventConsumer<Repositories, StoredEvent>({
      name: 'test',
      logger,
      uow,
      handle,
      intervalMs: 20,
      pull,
      encode: ({ payload }) => payload,
      ...changes,
    });
    consumers.push(consumer);
    consumer.start();
  };
  const effectsOf = async (count: number): Promise<string[]> => {
    await waitUntil(async () => (await effects()).length >= count);
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    return effects();
  };

  it('takes every event once, with three replicas and eight parallel writers', async () => {
    for (let replica = 0; replica < 3; replica += 1) start(recordEffects);
    const types = Array.from({ length: 8 * 15 }, (_, index) => `event ${index}`);
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let round = 0; round < 15; round += 1) await write([types[writer * 15 + round] as string]);
      }),
    );
    expect((await effectsOf(types.length)).toSorted()).toEqual(types.toSorted());
  });

  it('goes on where it stopped', async () => {
    await write(['1', '2']);
    start(recordEffects);
    await effectsOf(2);
    await write(['3']);
    start(recordEffects);
    expect(await effectsOf(3)).toEqual(['1', '2', '3']);
  });

  it('does nothing in its database about events that the source passes over, and misses none behind them', async () => {
    await write(['1']);
    start(recordEffects);
    await waitUntil(async () => (await effects()).length === 1);
    const before = await cursor();
    await untilAskedAfter(await writeOwn());
    await untilAskedAfter(await writeOwn());
    expect(await cursor()).toEqual(before);
    await write(['2', '3']);
    expect(await effectsOf(3)).toEqual(['1', '2', '3']);
  });

  it('that was stopped behind passed-over events takes those that follow, each once', async () => {
    await write(['1']);
    start(recordEffects);
    await waitUntil(async () => (await effects()).length === 1);
    await untilAskedAfter(await writeOwn());
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    await write(['2']);
    await writeOwn();
    for (let replica = 0; replica < 2; replica += 1) start(recordEffects);
    expect(await effectsOf(2)).toEqual(['1', '2']);
  });

  it('moves its cursor behind passed-over events when their time is over, also before the first event', async () => {
    const first = await writeOwn();
    start(recordEffects, silent, { storePassedMs: 0 });
    await waitUntil(cursor, { eventId: first });
    const second = await writeOwn();
    await waitUntil(cursor, { eventId: second });
    await write(['1']);
    expect(await effectsOf(1)).toEqual(['1']);
  });

  it('takes every event from a source that names no position to go on from, and passes over nothing', async () => {
    start(recordEffects, silent, {
      pull: async (after) => ({ events: (await pullEvents(used.database.reader, after, 16)).events }),
    });
    await write(['1', '2']);
    await waitUntil(async () => (await effects()).length === 2);
    await writeOwn();
    await write(['3']);
    expect(await effectsOf(3)).toEqual(['1', '2', '3']);
  });

  it('reports once that events are missing that the source no longer keeps, and goes on with the others', async () => {
    await write(['1', '2']);
    start(recordEffects);
    await effectsOf(2);
    await write(['missed']);
    // Transactions of other tests in the same server hold the pruning back, perhaps of the youngest event alone.
    let pruned = 0;
    await waitUntil(
      async () =>
        (pruned += await uow.run(({ em }) => pruneEvents(em, { keepMs: 0, limit: 100, audienceOf: () => [] }))) === 3,
    );
    const lines: string[] = [];
    start(
      recordEffects,
      createLogger({ service: 'test', level: 'error', destination: { write: (line) => void lines.push(line) } }),
    );
    await waitUntil(async () => lines.length > 0);
    // What follows the gap concerns nobody else: the cursor moves at once, so that a restart does not report it again.
    const own = await writeOwn();
    await waitUntil(cursor, { eventId: own });
    await write(['3']);
    expect(await effectsOf(3)).toEqual(['1', '2', '3']);
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'events were missed: the source had forgotten them',
    ]);
  });

  it('keeps effects and cursor together when the work fails for a while', async () => {
    let failures = 2;
    await write(['1', '2', '3']);
    start(async (events, repositories) => {
      await recordEffects(events, repositories);
      if ((failures -= 1) >= 0) throw new AppError('unavailable', 'DEPENDENCY_UNAVAILABLE', 'not now');
    });
    expect(await effectsOf(3)).toEqual(['1', '2', '3']);
    expect(await deadLetters()).toEqual([]);
  });

  it('moves the event that cannot be handled to the dead letters, and handles all others once', async () => {
    const types = Array.from({ length: 40 }, (_, index) => `event ${index}`);
    await write(types);
    start(async (events, repositories) => {
      await recordEffects(events, repositories);
      if (events.some(({ type }) => type === 'event 21')) throw new TypeError('cannot read the secret of event 21');
    });
    expect(await effectsOf(39)).toEqual(types.filter((type) => type !== 'event 21'));
    expect(await deadLetters()).toEqual([{ event: Buffer.from('event 21'), error: 'TypeError' }]);
  });
});
