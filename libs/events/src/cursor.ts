import { defineEntity, p } from '@mikro-orm/core';
import { columnTypes, runStatement, type EntityManager } from '#libs/db';
import type { Position } from './pull.ts';

const cursor = defineEntity({
  name: 'EventCursor',
  tableName: 'event_cursors',
  properties: {
    name: p.text().primary(),
    transactionId: p.type(columnTypes.TransactionId),
    eventId: p.bigint(),
    updateTime: p.datetime(3),
  },
});

const parkedEvent = defineEntity({
  name: 'ParkedEvent',
  tableName: 'parked_events',
  properties: {
    cursorName: p.text().primary(),
    transactionId: p.type(columnTypes.TransactionId).primary(),
    eventId: p.bigint().primary(),
    event: p.blob(),
    error: p.text(),
    createTime: p.datetime(3).defaultRaw('clock_timestamp()'),
  },
});

/** A consumer's tables: a service's migration runs `up`, its entity list holds `entities`. */
export const cursorTable = {
  up: `
    create table event_cursors (
      name text not null,
      transaction_id xid8 not null,
      event_id bigint not null,
      update_time timestamptz(3) not null,
      constraint event_cursors_pkey primary key (name)
    );
    create table parked_events (
      cursor_name text not null,
      transaction_id xid8 not null,
      event_id bigint not null,
      event bytea not null,
      error text not null,
      create_time timestamptz(3) not null default clock_timestamp(),
      constraint parked_events_pkey primary key (cursor_name, transaction_id, event_id)
    );`,
  down: 'drop table parked_events; drop table event_cursors;',
  entities: [cursor, parkedEvent],
};

export interface ParkedEvent {
  position: Position;
  /** The encoded event. */
  event: Uint8Array;
  /** What is wrong with it, without its content. */
  error: string;
}

/** How far a consumer has come; changed in the transaction that holds the effects of the events before it. */
export interface CursorRepository {
  /** Undefined before the first event. */
  find(name: string): Promise<Position | undefined>;
  /** Moves from one position to the next and locks the cursor; false when it does not stand at `from` (any more). */
  advance(name: string, from: Position | undefined, to: Position): Promise<boolean>;
  park(name: string, parked: ParkedEvent): Promise<void>;
  /** Removes up to `limit` parked events that were parked longer ago than `keepMs`; returns how many. */
  pruneParked(name: string, keepMs: number, limit: number): Promise<number>;
  /** Removes a parked event and gives it; undefined when there is none of that id. */
  unpark(name: string, eventId: bigint): Promise<Uint8Array | undefined>;
}

export function createCursorRepository(em: EntityManager): CursorRepository {
  return {
    find: async (name) => {
      const text = 'select transaction_id::text as transaction_id, event_id from event_cursors where name = $1';
      const [row] = await runStatement<{ transaction_id: string; event_id: string }>(em, text, [name]);
      return row && { transactionId: BigInt(row.transaction_id), eventId: BigInt(row.event_id) };
    },
    advance: async (name, from, to) => {
      const target = [name, String(to.transactionId), String(to.eventId)];
      const rows = from === undefined ? await runStatement(em, insertText, target) : await runStatement(em, advanceText, [...target, String(from.transactionId), String(from.eventId)]);
      return rows.length === 1;
    },
    park: async (name, { position, event, error }) => {
      const text = `insert into parked_events (cursor_name, transaction_id, event_id, event, error) values ($1, $2::xid8, $3, $4, $5) on conflict do nothing`;
      await runStatement(em, text, [name, String(position.transactionId), String(position.eventId), Buffer.from(event), error]);
    },
    pruneParked: async (name, keepMs, limit) => (await runStatement(em, pruneParkedText, [name, keepMs, limit])).length,
    unpark: async (name, eventId) => {
      const text = 'delete from parked_events where cursor_name = $1 and event_id = $2 returning event';
      return (await runStatement<{ event: Buffer }>(em, text, [name, String(eventId)]))[0]?.event;
    },
  };
}

const insertText = `
  insert into event_cursors (name, transaction_id, event_id, update_time) values ($1, $2::xid8, $3, clock_timestamp())
  on conflict do nothing returning 1`;
// There are few: an event is parked only after it has failed several times.
const pruneParkedText = `
  delete from parked_events where (cursor_name, transaction_id, event_id) in (
    select cursor_name, transaction_id, event_id from parked_events
    where cursor_name = $1 and create_time < clock_timestamp() - make_interval(secs => $2::float8 / 1000)
    order by transaction_id, event_id limit $3 for update skip locked)
  returning 1`;
const advanceText = `
  update event_cursors set transaction_id = $2::xid8, event_id = $3, update_time = clock_timestamp()
  where name = $1 and transaction_id = $4::xid8 and event_id = $5 returning 1`;
