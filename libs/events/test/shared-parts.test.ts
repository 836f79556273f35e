import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { UnitOfWork } from '#libs/db';
import {
  createEventBroadcaster,
  createEventLog,
  createLogSource,
  type EventLog,
  type FeedScope,
  type FeedSource,
  type Position,
  type StoredEvent,
} from '#libs/events';
import { createRandom, type Random } from '../../dev/testing/src/random.ts';
import { useDatabase } from '../../dev/testing/src/use-database.ts';
import { newEvent, openWithTables, silent } from './fixture/database.ts';

const memberships = 'select user_id, part_id, join_transaction, join_incarnation from memberships';
const scopes: FeedScope[] = ['own', 'all'];

const parse = (event: StoredEvent): string[] => JSON.parse(Buffer.from(event.payload).toString()) as string[];

describe('a part of the log that several users read', () => {
  const used = useDatabase(openWithTables);
  let uow: UnitOfWork<EventLog>;
  let source: FeedSource;
  let users: string[];
  let parts: string[];
  /** The events in the order of the log, each with its audience. */
  let log: { type: string; audience: string[] }[];
  /** How many events there were when the user joined. */
  let joined: Map<string, number>;

  beforeAll(() => {
    uow = used.database.unitOfWork((em) => createEventLog(em, { channel: 'shared_parts_test', counterCount: 1 }));
    source = createLogSource(used.database.reader, memberships);
  });
  beforeEach(async () => {
    await used.query('truncate events, event_stream_heads, event_audience, memberships');
    [users, parts] = [Array.from({ length: 4 }, () => randomUUID()), Array.from({ length: 3 }, () => randomUUID())];
    [log, joined] = [[], new Map()];
  });

  const eventFor = (type: string, audience: string[]) =>
    newEvent({ streamId: audience[0] ?? '', type, audience, payload: Buffer.from(JSON.stringify(audience)) });

  async function write(audience: string[]): Promise<void> {
    const type = String(log.length);
    await uow.run((events) => events.append([eventFor(type, audience)]));
    log.push({ type, audience });
  }

  const join = async (user: string, part: string): Promise<void> => {
    if (joined.has(`${user} ${part}`)) return;
    await used.query('insert into memberships (user_id, part_id) values ($1, $2)', user, part);
    joined.set(`${user} ${part}`, log.length);
  };

  const leave = async (user: string, part: string): Promise<void> => {
    await used.query('delete from memberships where user_id = $1 and part_id = $2', user, part);
    joined.delete(`${user} ${part}`);
  };

  /** What the user may be sent now, from event `from` on. */
  function expected(user: string, scope: FeedScope, from: number): string[] {
    const isFor = ({ audience }: (typeof log)[number], index: number): boolean =>
      audience.includes(user) ||
      (scope === 'all' && audience.some((part) => index >= (joined.get(`${user} ${part}`) ?? Infinity)));
    return log.flatMap((event, index) => (index >= from && isFor(event, index) ? [event.type] : []));
  }

  /** Until everything that was written can be read: other tests' transactions may hold it back. */
  async function settled(): Promise<Position[]> {
    for (;;) {
      const places = await used.query<{ transactionId: bigint; eventId: bigint; incarnation: bigint }>(
        `select transaction_id as "transactionId", id as "eventId", log_incarnation() as incarnation from events order by 1, 2`,
      );
      const last = places.at(-1);
      const end = await source.end();
      if (last === undefined || end.eventId === last.eventId) return places;
    }
  }

  async function readPages(user: string, scope: FeedScope, after: Position, limit: number): Promise<string[]> {
    const found: string[] = [];
    for (let position = after, more = true; more;) {
      const page = await source.readUser(user, position, limit, scope);
      found.push(...page.events.map(({ type }) => type));
      ({ next: position, more } = page);
    }
    return found;
  }

  /** Writes an event, or has somebody join or leave. */
  async function step(random: Random): Promise<void> {
    const kind = random.below(10);
    if (kind < 2) return join(random.pick(users), random.pick(parts));
    if (kind < 3) return leave(random.pick(users), random.pick(parts));
    return write(random.shuffle([...users, ...parts]).slice(0, random.between(1, 4)));
  }

  const openBroadcaster = () =>
    createEventBroadcaster({
      source,
      logger: silent,
      wait: () => new Promise((resolve) => void setImmediate(resolve)),
      audienceOf: parse,
      partsOf: (event) => parse(event).filter((id) => parts.includes(id)),
      onPruned: () => new Error('pruned'),
      onUnknown: () => new Error('unknown'),
      heartbeatMs: 50,
    });

  it('is read in pages with the own part, each event once and in order, from where one joined', async () => {
    const random = createRandom('pages');
    const start = await source.end();
    for (let round = 0; round < 150; round += 1) await step(random);
    const places = await settled();
    for (let round = 0; round < 60; round += 1) {
      const [user, scope, limit] = [random.pick(users), random.pick(scopes), random.pick([1, 2, 3, 7, 200])];
      const from = random.between(-1, places.length - 1);
      const found = await readPages(user, scope, places[from] ?? start, limit);
      expect({ user, scope, limit, found }).toEqual({ user, scope, limit, found: expected(user, scope, from + 1) });
    }
  });

  it('is streamed to those who read it when an event is sent, and to nobody who has left', async () => {
    const start = await source.end();
    const stopping = new AbortController();
    const broadcaster = openBroadcaster();
    const streams = users.flatMap((user) => scopes.map((scope) => ({ user, scope, found: [] as string[] })));
    const reading = streams.map(async ({ user, scope, found }) => {
      for await (const { event, parts: read } of broadcaster.subscribe(user, start, stopping.signal, scope)) {
        if (event === undefined) continue;
        found.push(event.type);
        const shared = parse(event).filter((part) => joined.has(`${user} ${part}`));
        expect([...read.keys()].filter((part) => shared.includes(part))).toEqual(expect.arrayContaining(shared));
      }
    });
    const random = createRandom('streams');
    const want = streams.map(() => [] as string[]);
    for (let round = 0; round < 60; round += 1) {
      const from = log.length;
      await step(random);
      if (log.length > from) await write(users);
      for (const [index, { user, scope }] of streams.entries()) want[index]?.push(...expected(user, scope, from));
      // The mark at the end of each step has come to everybody before the next step changes who may read.
      while (streams.some(({ found }, index) => found.length < (want[index]?.length ?? 0)))
        await new Promise((resolve) => void setImmediate(resolve));
      expect(streams.map(({ found }) => found)).toEqual(want);
    }
    stopping.abort();
    await Promise.all(reading);
    await broadcaster.stop();
  });

  it('is not streamed from before one joined, although it ends later', async () => {
    const [user = '', part = ''] = [...users, ...parts].slice(3);
    const start = await source.end();
    const broadcaster = openBroadcaster();
    const stopping = new AbortController();
    const stream = broadcaster.subscribe(user, start, stopping.signal, 'all');
    const next = async (): Promise<string> => {
      for (;;) {
        const { value } = await stream.next();
        if (value?.event !== undefined) return value.event.type;
      }
    };
    const first = next();
    await write([user]);
    expect(await first).toBe('0');
    await uow.run(async (events) => {
      await events.append([eventFor('of before', [part])]);
      await join(user, part);
    });
    await write([part]);
    expect(await next()).toBe('1');
    stopping.abort();
    await broadcaster.stop();
  });
});
