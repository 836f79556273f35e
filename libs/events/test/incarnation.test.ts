import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { UnitOfWork } from '#libs/db';
import {
  createEventLog,
  currentPosition,
  pruneEvents,
  pullEvents,
  readUserFeed,
  renewIncarnation,
  type EventLog,
  type Position,
  type StoredEvent,
} from '#libs/events';
import { createRandom } from '../../dev/testing/src/random.ts';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { newEvent, openWithTables } from './fixture/database.ts';

const tables = ['log_incarnations', 'event_stream_heads', 'events', 'event_audience', 'event_horizon'] as const;
const user = randomUUID();
const streams = [randomUUID(), randomUUID()];
const slowStream = randomUUID();

interface Backup {
  rows: Record<string, string>;
  lastId: string;
  labels: Set<string>;
}

describe('the incarnations of a log', () => {
  const used = useDatabase(openWithTables);
  const { query } = used;
  let log: UnitOfWork<EventLog>;
  /** The labels of the database's present life: in the log, or pruned by age. */
  let labels: Set<string>;
  /** How often an empty database has taken the log's place. It has nothing to number on from. */
  let emptied: number;
  beforeAll(() => {
    log = used.database.unitOfWork((em) => createEventLog(em, { channel: 'incarnations', counterCount: 0 }));
  });
  beforeEach(async () => {
    labels = new Set();
    emptied = 0;
    await query('truncate log_incarnations, event_stream_heads, events, event_audience');
    await query(`update event_horizon set transaction_id = '0', event_id = 0`);
  });

  const eventOf = (type: string, streamId: string) =>
    newEvent({ streamId, type, audience: [user], payload: Buffer.from(type) });
  const write = async (label: string, stream = streams[0] as string): Promise<void> => {
    await log.run((events) => events.append([eventOf(label, stream)]));
    labels.add(label);
  };
  /** Writes and commits when the returned function is called. Beginning an incarnation would wait for as long. */
  const writeSlowly = async (label: string): Promise<() => Promise<void>> => {
    await currentPosition(used.database.reader);
    const written = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const done = log.run(async (events) => {
      await events.append([eventOf(label, slowStream)]);
      written.resolve();
      await finish.promise;
    });
    await Promise.race([written.promise, done]);
    return async () => {
      finish.resolve();
      await done;
      labels.add(label);
    };
  };
  const pruned = new Set<string>();
  /** A transaction of somebody else on the server, which holds readers back until it ends. */
  const holdTransaction = async (): Promise<() => Promise<undefined>> => {
    const other = new Client({ connectionString: used.url });
    await other.connect();
    await other.query('begin');
    await other.query('select pg_current_xact_id()');
    return async () => void (await other.end());
  };
  const stored = async () => (await query<{ type: string }>('select type from events')).map(({ type }) => type);

  const backUp = async (): Promise<Backup> => {
    const columns = tables
      .map((table) => `(select coalesce(json_agg(t), '[]')::text from ${table} t) as ${table}`)
      .join(', ');
    const [row] = await query<Record<string, string> & { lastId: bigint }>(
      `select ${columns}, (select last_value from events_id_seq) as "lastId"`,
    );
    if (row === undefined) throw new Error('there is a row');
    const { lastId, ...rows } = row;
    return { rows, lastId: String(lastId), labels: new Set(await stored()) };
  };
  /**
   * Puts the rows back: `elsewhere` as if they had been written on another server, whose transactions had other
   * numbers; what is held of its positions is of those numbers too.
   */
  const restore = async (
    { rows, lastId, labels: kept }: Backup,
    { elsewhere = false, ahead = 0n } = {},
  ): Promise<void> => {
    await query(`truncate ${tables.join(', ')}`);
    for (const table of tables)
      await query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, rows[table]);
    await query(`select setval('events_id_seq', $1)`, lastId);
    if (elsewhere) await query(`update log_incarnations set fingerprint = 'elsewhere'`);
    for (const table of ['events', 'event_audience', 'event_horizon']) {
      if (ahead !== 0n)
        await query(
          `update ${table} set transaction_id = (transaction_id::text::numeric + $1)::text::xid8 where transaction_id <> '0'`,
          String(ahead),
        );
    }
    labels = new Set(kept);
    if (rows['log_incarnations'] === '[]') emptied += 1;
  };

  /** Events that are pruned at this moment. A restore may bring them back. */
  const absent = async (): Promise<string[]> => {
    const present = new Set(await stored());
    return [...pruned].filter((label) => !present.has(label));
  };

  /** Takes each event once by its id, as the scheduler does. */
  const createConsumer = () => {
    let position: Position | undefined;
    const seen = new Map<bigint, string>();
    const numbers = new Map<string, string>();
    /** Pruned when it began anew, of which it is told: nobody promises that it sees them when a restore brings them back. */
    const passedOver = new Set<string>();
    const take = ({ position: at, type, streamId, sequence }: StoredEvent): void => {
      // No id is ever given to two events, whatever was lost in between, and no number unless everything was lost.
      expect(seen.get(at.eventId) ?? type).toBe(type);
      const number = `${emptied} ${streamId} ${sequence}`;
      expect(numbers.get(number) ?? type).toBe(type);
      seen.set(at.eventId, type);
      numbers.set(number, type);
    };
    return {
      labels: () => [...seen.values()],
      known: () => [...seen.values(), ...passedOver],
      shift: (by: bigint) => void (position &&= { ...position, transactionId: position.transactionId + by }),
      pull: async (limit: number): Promise<StoredEvent[]> => {
        let page = await pullEvents(used.database.reader, position, limit);
        const beginsAnew = position === undefined || page.unknown || page.pruned;
        if (beginsAnew) for (const label of await absent()) passedOver.add(label);
        if (page.unknown || page.pruned) page = await pullEvents(used.database.reader, undefined, limit);
        page.events.forEach(take);
        position = page.next;
        return page.events;
      },
    };
  };

  /** Holds a copy of the user's part, as a client does that synchronises. */
  const createMirror = () => {
    let token: Position | undefined;
    let copy = new Set<string>();
    const passedOver = new Set<string>();
    const synchronise = async (): Promise<void> => {
      token = await currentPosition(used.database.reader);
      copy = new Set(await stored());
      for (const label of await absent()) passedOver.add(label);
    };
    return {
      labels: () => [...copy],
      known: () => [...copy, ...passedOver],
      shift: (by: bigint) => void (token &&= { ...token, transactionId: token.transactionId + by }),
      read: async (limit: number): Promise<void> => {
        if (token === undefined) return synchronise();
        const page = await readUserFeed(used.database.reader, user, token, limit);
        if (page.unknown || page.pruned) return synchronise();
        page.events.forEach(({ type }) => copy.add(type));
        token = page.next;
      },
    };
  };

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'lose nothing, double nothing and number nothing twice, whatever is restored (seed %i)',
    async (seed) => {
      const random = createRandom(String(seed));
      const consumer = createConsumer();
      const mirror = createMirror();
      let count = 0;
      let open: (() => Promise<void>) | undefined;
      let held: (() => Promise<undefined>) | undefined;
      let backup = await backUp();
      const close = async (): Promise<void> => {
        await open?.();
        open = undefined;
      };
      const stream = (): string => random.pick(streams);
      const bringBack = async (): Promise<void> => {
        await close();
        const ahead = BigInt(random.below(3)) * 1_000_000n;
        consumer.shift(ahead);
        mirror.shift(ahead);
        await restore(backup, { elsewhere: true, ahead });
      };
      const prune = async (): Promise<void> => {
        const before = await stored();
        const limit = 1 + random.below(3);
        await used.database
          .unitOfWork((em) => em)
          .run((em) => pruneEvents(em, { keepMs: -60_000, limit, audienceOf: () => [user] }));
        const after = new Set(await stored());
        for (const label of before) if (!after.has(label)) pruned.add(label);
      };
      const steps: (() => Promise<unknown>)[] = [
        () => write(`${seed}-${(count += 1)}`, stream()),
        () => write(`${seed}-${(count += 1)}`, stream()),
        async () => {
          await close();
          open = await writeSlowly(`${seed}-${(count += 1)}`);
        },
        close,
        () => consumer.pull(1 + random.below(4)),
        () => mirror.read(1 + random.below(4)),
        async () => (backup = await backUp()),
        async () => {
          backup = await backUp();
          await bringBack();
        },
        bringBack,
        async () => {
          await close();
          await restore(backup);
          await renewIncarnation(used.database.reader);
        },
        prune,
        async () => void (held = held === undefined ? await holdTransaction() : await held()),
      ];
      for (let step = 0; step < 60; step += 1) await random.pick(steps)();
      await close();
      await held?.();
      await write(`${seed}-last`);
      // Transactions of other tests may hold the end back for a moment.
      while (!consumer.labels().includes(`${seed}-last`)) await consumer.pull(3);
      while (!mirror.labels().includes(`${seed}-last`)) await mirror.read(3);
      const now = await stored();
      expect(consumer.known()).toEqual(expect.arrayContaining(now));
      expect(mirror.known()).toEqual(expect.arrayContaining(now));
      expect(mirror.labels().filter((label) => !labels.has(label))).toEqual([]);
    },
  );

  it('go on in order where the rows came from a server whose transactions had higher numbers', async () => {
    await write('1');
    await write('2');
    const consumer = createConsumer();
    while (consumer.labels().length < 2) await consumer.pull(10);
    await restore(await backUp(), { elsewhere: true, ahead: 2n ** 40n });
    consumer.shift(2n ** 40n);
    await write('3');
    while (consumer.labels().length < 3) await consumer.pull(10);
    expect(consumer.labels()).toEqual(['1', '2', '3']);
  });

  it('notice a restore in place, and never assign a number of the lost state again', async () => {
    await write('kept');
    const backup = await backUp();
    const consumer = createConsumer();
    await write('lost');
    while (consumer.labels().length < 2) await consumer.pull(10);
    await restore(backup);
    await consumer.pull(10);
    await write('new');
    while (!consumer.labels().includes('new')) await consumer.pull(10);
    expect(consumer.labels()).toEqual(['kept', 'lost', 'new']);
  });

  it('wait for a writer of the incarnation before', async () => {
    await write('first');
    const finish = await writeSlowly('slow');
    const renewed = renewIncarnation(used.database.reader);
    const waits = `select 1 from pg_locks where not granted and relation = 'events'::regclass`;
    while ((await query(waits)).length === 0);
    await finish();
    await renewed;
    await write('later');
    const consumer = createConsumer();
    while (consumer.labels().length < 3) await consumer.pull(10);
    expect(consumer.labels()).toEqual(['first', 'slow', 'later']);
    expect(await query('select count(*)::int as count from log_incarnations')).toEqual([{ count: 2 }]);
  });

  it('tell everybody who held a position when an empty database takes the place', async () => {
    const backup = await backUp();
    const consumer = createConsumer();
    const mirror = createMirror();
    await write('lost');
    await consumer.pull(10);
    await mirror.read(10);
    const held = await currentPosition(used.database.reader);
    await restore(backup);
    const expectRefusal = async (): Promise<void> => {
      expect(await pullEvents(used.database.reader, held, 10)).toMatchObject({ unknown: true, events: [] });
      expect(await readUserFeed(used.database.reader, user, held, 10)).toMatchObject({ unknown: true, events: [] });
    };
    await expectRefusal();
    await write('new');
    await expectRefusal();
    while (!consumer.labels().includes('new')) await consumer.pull(10);
    while (!mirror.labels().includes('new')) await mirror.read(10);
    expect(consumer.labels()).toEqual(['lost', 'new']);
    expect(mirror.labels()).toEqual(['new']);
  });

  it('begin once, however many notice the need at the same time', async () => {
    await write('before');
    await restore(await backUp(), { elsewhere: true });
    await Promise.all(Array.from({ length: 8 }, (_, index) => write(`${index}`, randomUUID())));
    expect(await query('select count(*)::int as count from log_incarnations')).toEqual([{ count: 2 }]);
  });

  it('leave a jump in the numbers of a stream that somebody may have followed in the lost state', async () => {
    await write('1');
    const backup = await backUp();
    await write('lost');
    await restore(backup, { elsewhere: true });
    await write('2');
    await write('3');
    const sequences = (await query<{ sequence: bigint }>('select sequence from events order by id')).map(
      ({ sequence }) => sequence,
    );
    expect(sequences[1]).toBeGreaterThan(1_000_000n);
    expect((sequences[2] ?? 0n) - (sequences[1] ?? 0n)).toBe(1n);
  });
});
