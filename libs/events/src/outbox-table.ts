import { defineEntity, p } from '@mikro-orm/core';

const outboxEntrySchema = defineEntity({
  name: 'OutboxEntry',
  tableName: 'outbox',
  indexes: [{ name: 'outbox_next_attempt_time_index', properties: 'nextAttemptTime' }],
  properties: {
    id: p.uuid().primary(),
    kind: p.text(),
    payload: p.json<unknown>(),
    attempts: p.integer().default(0),
    nextAttemptTime: p.datetime(3).defaultRaw('clock_timestamp()'),
    lastError: p.text().nullable(),
    createTime: p.datetime(3).defaultRaw('clock_timestamp()'),
    callId: p.text().default(''),
    traceParent: p.text().default(''),
  },
});

export class OutboxEntry extends outboxEntrySchema.class {}
outboxEntrySchema.setClass(OutboxEntry);

/**
 * The outbox's table: a service's migration runs `up`, a later one or the same `origin.up`; its entity list holds
 * `entities`.
 */
export const outboxTable = {
  up: `
    create table outbox (
      id uuid not null,
      kind text not null,
      payload jsonb not null,
      attempts int not null default 0,
      next_attempt_time timestamptz(3) not null default clock_timestamp(),
      last_error text,
      create_time timestamptz(3) not null default clock_timestamp(),
      constraint outbox_pkey primary key (id)
    );
    create index outbox_next_attempt_time_index on outbox (next_attempt_time);`,
  down: 'drop table outbox;',
  /**
   * The id and the trace of the call that recorded the entry; empty outside of a call, or when an earlier release wrote
   * it.
   */
  origin: {
    up: `alter table outbox add column call_id text not null default '', add column trace_parent text not null default '';`,
    down: 'alter table outbox drop column call_id, drop column trace_parent;',
  },
  entities: [outboxEntrySchema],
};
