/** The columns of an event, in the order in which they are chained. */
const eventColumns = `
    id uuid not null,
    create_time timestamptz(3) not null,
    action text not null,
    outcome text not null,
    reason text not null,
    actor_kind text not null,
    actor_id text not null,
    target_kind text not null,
    target_id text not null,
    account_id uuid null,
    call_id text not null,
    address text not null,
    details jsonb not null`;

const indexes = ['action', 'actor_id', 'target_id', 'account_id'];

/**
 * The tables of the audit log, in a schema of their own. A service's migration runs `up`.
 *
 * - `waiting`: events of committed transactions that are not chained yet.
 * - `chain`: all others, in partitions of a month. Nobody has the right to change or delete a row, the owner included.
 * - `head`: one row, the last place of the chain. Its lock is the turn of whoever appends.
 */
export const auditTables = {
  up: [
    'create schema audit',
    `create table audit.waiting (${eventColumns}, constraint waiting_pkey primary key (id))`,
    `create table audit.chain (${eventColumns},
      position bigint not null,
      record_time timestamptz(3) not null,
      hash bytea not null,
      constraint chain_pkey primary key (position, record_time)
    ) partition by range (record_time)`,
    ...indexes.map((column) => `create index chain_${column} on audit.chain (${column}, position)`),
    `create table audit.head (
      is_head boolean not null default true,
      position bigint not null,
      record_time timestamptz(3) not null,
      hash bytea not null,
      constraint head_pkey primary key (is_head),
      constraint head_is_one check (is_head)
    )`,
    `insert into audit.head (position, record_time, hash) values (0, '2000-01-01T00:00:00Z', '')`,
    'revoke update, truncate on audit.waiting from current_user',
    'revoke update, delete, truncate on audit.chain from current_user',
    'revoke insert, delete, truncate on audit.head from current_user',
  ],
  down: ['drop schema audit cascade'],
};
