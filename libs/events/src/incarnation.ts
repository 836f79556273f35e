import type { SqlReader, Statement } from '#libs/db';

/** What every statement that reads a log returns about its state. */
export interface LogRow {
  /** The incarnation that is being written. */
  current: bigint | null;
  /** The newest one in the statement's snapshot. */
  newest: bigint | null;
}

/*
 * The row of `log`, for statements that read it. The current incarnation comes from a later snapshot than the
 * statement's: when it differs from the statement's newest, an incarnation has begun meanwhile, and what the statement
 * takes for settled may not be. Entries of the current incarnation have at least `first_id` and `first_transaction`.
 */
export const currentLog = `
  log as materialized (
    select log_incarnation() as current, max(ordinal) as newest,
      case when count(*) > 1 then max(ordinal) else 0 end as first_id,
      case when count(*) > 1 then (array_agg(transaction_id order by ordinal desc))[1] else '0' end as first_transaction,
      pg_snapshot_xmin(pg_current_snapshot()) as settled_below
    from log_incarnations)`;

const tries = 5;

/** Reads again when an incarnation began meanwhile. The rows begin with a LogRow, and there is at least one. */
export async function readLog<Row extends LogRow>(
  reader: SqlReader,
  statement: Statement,
  parameters: unknown[],
): Promise<Row[]> {
  for (let left = tries; left > 0; left -= 1) {
    const rows = await reader.query<Row>(statement, parameters);
    if (rows[0]?.current === rows[0]?.newest) return rows;
  }
  throw new Error('incarnations of the log begin faster than it is read');
}

const renew: Statement = { name: 'renew_log_incarnation', text: 'select renew_log_incarnation($1) as ordinal' };

/**
 * Begins another incarnation although the log has not moved; does nothing when `known` is not the current one. Returns
 * the current one.
 */
export async function renewIncarnation(reader: SqlReader, known?: bigint): Promise<bigint> {
  const [row] = await reader.query<{ ordinal: bigint }>(renew, [known === undefined ? null : String(known)]);
  return row?.ordinal ?? 0n;
}
