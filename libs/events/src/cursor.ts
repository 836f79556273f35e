import { defineEntity, p } from '@mikro-orm/core';
import { columnTypes, runStatement, type EntityManager } from '#libs/db';
import { toParameters, type Position } from './position.ts';

const cursor = defineEntity({
  name: 'EventCursor',
  tableName: 'event_cursors',
  properties: {
    name: p.text().primary(),
    transactionId: p.type(columnTypes.TransactionId),
    eventId: p.bigint(),
    incarnation: p.bigint().defaultRaw('0'),
    updateTime: p.datetime(3),
  },
});

const deadLetterEvent = defineEntity({
  name: 'DeadLetterEvent',
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
  /** A later migration: the incarnation of the source's log; 0 for cursors that an earlier release wrote. */
  incarnation: {
    up: 'alter table event_cursors add column incarnation bigint not null default 0;',
    down: 'alter table event_cursors drop column incarnation;',
  },
  entities: [cursor, deadLetterEvent],
};

/** An event that could not be handled. */
export interface DeadLetterEvent {
  position: Position;
  /** The encoded event. */
  event: Uint8Array;
  /** The kind of the failure, without the event's content. */
  error: string;
}

/** How far a consumer has come. It changes in the transaction that holds the effects of the events before it. */
export interface CursorRepository {
  /** Undefined before the first event. */
  find(name: string): Promise<Position | undefined>;
  /** Locks the cursor and moves it from one position to the next. False when it does not stand at `from`. */
  advance(name: string, from: Position | undefined, to: Position): Promise<boolean>;
  addDeadLetter(name: string, deadLetter: DeadLetterEvent): Promise<void>;
  /** Removes up to `limit` dead letters that are older than `keepMs`; returns how many. */
  pruneDeadLetters(name: string, keepMs: number, limit: number): Promise<number>;
  /** Removes the dead letters whose event holds one of the words, such as ids of what is gone for good. */
  removeDeadLettersWith(name: string, words: readonly string[]): Promise<void>;
  /** Removes a dead letter and returns its event; undefined when there is none of that id. */
  takeDeadLetter(name: string, eventId: bigint): Promise<Uint8Array | undefined>;
}

export function createCursorRepository(em: EntityManager): CursorRepository {
  return {
    find: async (name) => (await runStatement<Position>(em, findStatement, [name]))[0],
    advance: async (name, from, to) => {
      const target = [name, ...toParameters(to)];
      const rows =
        from === undefined
          ? await runStatement(em, insertText, target)
          : await runStatement(em, advanceText, [...target, String(from.transactionId), String(from.eventId)]);
      return rows.length === 1;
    },
    addDeadLetter: async (name, { position, event, error }) => {
      const text = `
        insert into parked_events (cursor_name, transaction_id, event_id, event, error)
        values ($1, $2::xid8, $3, $4, $5) on conflict do nothing`;
      await runStatement(em, text, [
        name,
        String(position.transactionId),
        String(position.eventId),
        Buffer.from(event),
        error,
      ]);
    },
    pruneDeadLetters: async (name, keepMs, limit) =>
      (await runStatement(em, pruneDeadLettersText, [name, keepMs, limit])).length,
    removeDeadLettersWith: async (name, words) => void (await runStatement(em, removeDeadLettersText, [name, words])),
    takeDeadLetter: async (name, eventId) => {
      const text = 'delete from parked_events where cursor_name = $1 and event_id = $2 returning event';
      return (await runStatement<{ event: Buffer }>(em, text, [name, String(eventId)]))[0]?.event;
    },
  };
}

const findStatement = {
  name: 'find_event_cursor',
  text: `
    select incarnation, transaction_id as "transactionId", event_id as "eventId" from event_cursors where name = $1`,
};
const insertText = `
  insert into event_cursors (name, incarnation, transaction_id, event_id, update_time)
  values ($1, $2, $3::xid8, $4, clock_timestamp())
  on conflict do nothing returning 1`;
// There are few: an event becomes a dead letter only after several failures.
const pruneDeadLettersText = `
  delete from parked_events where (cursor_name, transaction_id, event_id) in (
    select cursor_name, transaction_id, event_id from parked_events
    where cursor_name = $1 and create_time < clock_timestamp() - make_interval(secs => $2::float8 / 1000)
    order by event_id limit $3 for update skip locked)
  returning 1`;
const removeDeadLettersText = `
  delete from parked_events where cursor_name = $1
    and exists (select from unnest($2::text[]) word where position(convert_to(word, 'UTF8') in event) > 0)`;
const advanceText = `
  update event_cursors set incarnation = $2, transaction_id = $3::xid8, event_id = $4, update_time = clock_timestamp()
  where name = $1 and transaction_id = $5::xid8 and event_id = $6 returning 1`;
