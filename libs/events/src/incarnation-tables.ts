import { defineEntity, p } from '@mikro-orm/core';
import { columnTypes } from '#libs/db';

const incarnation = defineEntity({
  name: 'LogIncarnation',
  tableName: 'log_incarnations',
  properties: {
    ordinal: p.bigint().primary().autoincrement(false),
    fingerprint: p.text(),
    transactionId: p.type(columnTypes.TransactionId),
    startTime: p.datetime(3).defaultRaw('clock_timestamp()'),
  },
});

export interface IncarnationOptions {
  /** The table that is the log. */
  table: string;
  /** The column with the writing transaction; null in rows that are not entries of the log. */
  transactionColumn: string;
  /**
   * The identity column that numbers the entries; it continues from the ordinal. Without it, entries name their
   * incarnation.
   */
  idColumn?: string;
}

/**
 * Incarnations of a log. Transaction ids order a log only within one life of one server, so a position names the
 * incarnation too. The database begins a new one when it finds its rows in another place than where they were last
 * written. A migration runs `up`; the entity list holds `entity`.
 *
 * - `ordinal`: the time of the beginning in microseconds, above everything before. A life that was lost to a restore
 *   and its replacement therefore have different ordinals. Entries are numbered from it on, so an id shows its
 *   incarnation, and no number is assigned twice.
 * - `fingerprint`: where the log lives: the server's system identifier and timeline, the database and the table.
 * - `transaction_id`: the lower bound of the transactions that write in it.
 *
 * Functions: `log_incarnation()` returns the current ordinal and begins an incarnation where needed.
 * `log_sequence_base()` is the base above which streams are numbered. `renew_log_incarnation(known)` begins an
 * incarnation although the place is the same.
 */
export function logIncarnations(options: IncarnationOptions): { up: string; down: string } {
  return {
    up: [
      tables,
      fingerprintFunction(options),
      beginFunction(options),
      currentFunctions,
      renewFunction(options),
      adoptRows(options),
    ].join('\n'),
    down: `
      drop function renew_log_incarnation(bigint);
      drop function log_sequence_base();
      drop function log_incarnation();
      drop function begin_log_incarnation(bigint);
      drop function log_fingerprint();
      drop table log_incarnations;`,
  };
}

logIncarnations.entity = incarnation;

const tables = `
  create table log_incarnations (
    ordinal bigint not null,
    fingerprint text not null,
    transaction_id xid8 not null,
    start_time timestamptz(3) not null default clock_timestamp(),
    constraint log_incarnations_pkey primary key (ordinal)
  );`;

/*
 * Cached per backend, because reading the control file costs more than the rest. A backend never outlives its server's
 * life, except on a standby that is promoted; so nothing is cached during recovery. The timeline comes from the name of
 * the WAL file, because the control file shows a promotion only after the next checkpoint. A server that hides its
 * identifier counts as new after each start, which is safe and costs its clients a synchronisation.
 */
const fingerprintFunction = ({ table }: IncarnationOptions): string => `
  create function log_fingerprint() returns text language plpgsql as $$
  declare known text := current_setting('taskflow.log_fingerprint', true);
  begin
    if known <> '' then return known; end if;
    if pg_is_in_recovery() then return null; end if;
    begin
      known := (select system_identifier from pg_control_system()) || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
    exception when others then
      known := 'started ' || extract(epoch from pg_postmaster_start_time());
    end;
    known := known || '/' || (select oid from pg_database where datname = current_database()) || '/' || '${table}'::regclass::oid;
    perform set_config('taskflow.log_fingerprint', known, false);
    return known;
  end $$;`;

/** Rows from before incarnations, or from elsewhere, belong to incarnation 1. */
const rowsExist = ({ table, transactionColumn }: IncarnationOptions): string =>
  `exists (select from ${table} where ${transactionColumn} is not null)`;

/*
 * Concurrent callers take turns by the lock, which they hold until their transaction ends, so the second sees the first
 * one's row. Nothing is begun when the newest incarnation is no longer `after`.
 */
function beginFunction(options: IncarnationOptions): string {
  const { table, idColumn } = options;
  const sequence = idColumn && `pg_get_serial_sequence('${table}', '${idColumn}')::regclass`;
  return `
  create function begin_log_incarnation(after bigint) returns bigint language plpgsql as $$
  declare
    newest log_incarnations;
    first bigint;
  begin
    perform pg_advisory_xact_lock(hashtextextended('taskflow log incarnation', 0));
    select * into newest from log_incarnations order by ordinal desc limit 1;
    if newest.ordinal is distinct from after and newest.fingerprint = log_fingerprint() then return newest.ordinal; end if;
    if newest.ordinal is null and ${rowsExist(options)} then
      insert into log_incarnations (ordinal, fingerprint, transaction_id) values (1, 'unknown', '0');
    end if;
    first := greatest((extract(epoch from clock_timestamp()) * 1000000)::bigint, newest.ordinal + 1
      ${sequence ? `, (select max(${idColumn}) + 1 from ${table}), nextval(${sequence})` : ''});
    ${sequence ? `perform setval(${sequence}, first, false);` : ''}
    insert into log_incarnations (ordinal, fingerprint, transaction_id) values (first, log_fingerprint(), pg_snapshot_xmin(pg_current_snapshot()));
    raise log 'incarnation % of the log begins, after %', first, after;
    return first;
  end $$;`;
}

const currentFunctions = `
  create function log_incarnation() returns bigint language plpgsql as $$
  declare
    newest log_incarnations;
    here text := log_fingerprint();
  begin
    select * into newest from log_incarnations order by ordinal desc limit 1;
    if newest.fingerprint = here or here is null then return newest.ordinal; end if;
    return begin_log_incarnation(newest.ordinal);
  end $$;
  create function log_sequence_base() returns bigint language plpgsql as $$
  declare
    newest record;
    here text := log_fingerprint();
  begin
    loop
      select i.ordinal, i.fingerprint, exists (select from log_incarnations o where o.ordinal < i.ordinal) as continues into newest
      from log_incarnations i order by i.ordinal desc limit 1;
      if newest.fingerprint = here then return case when newest.continues then newest.ordinal - 1 else 0 end; end if;
      perform begin_log_incarnation(newest.ordinal);
    end loop;
  end $$;`;

/*
 * The table's lock waits for all writers of the present incarnation and keeps others away until the new one exists,
 * because readers take everything in an older incarnation for settled.
 */
const renewFunction = ({ table }: IncarnationOptions): string => `
  create function renew_log_incarnation(known bigint default null) returns bigint language plpgsql as $$
  declare newest bigint;
  begin
    lock table ${table} in share row exclusive mode;
    newest := (select max(ordinal) from log_incarnations);
    if newest is distinct from coalesce(known, newest) then return newest; end if;
    return begin_log_incarnation(newest);
  end $$;`;

/**
 * A running installation continues in incarnation 1, unless a row shows that it was copied from a server that was ahead.
 */
const adoptRows = (options: IncarnationOptions): string => `
  insert into log_incarnations (ordinal, fingerprint, transaction_id)
  select 1, case when exists (select from ${options.table} where ${options.transactionColumn} >= pg_snapshot_xmax(pg_current_snapshot())) then 'unknown' else log_fingerprint() end, '0'
  where ${rowsExist(options)};`;
