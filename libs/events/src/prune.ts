import { runStatement, type EntityManager } from '#libs/db';

export interface Pruning {
  /** Older events are deleted. */
  keepMs: number;
  limit: number;
  /** The audience that the event was appended with. */
  audienceOf: (payload: Uint8Array) => readonly string[];
}

/*
 * Only the beginning of the log is deleted, so that one position marks what is gone: an old event after a younger one
 * stays until that one is deleted. The oldest event has the lowest number among the incarnations, so a batch is taken
 * from its incarnation. Concurrent runs take turns by the lock on the horizon.
 */
const removeOldest = `
  with horizon as materialized (select id from event_horizon where id = 1 for update),
    following as materialized (
      select min(ordinal) as ordinal from log_incarnations where ordinal > (select min(id) from events)
      and ordinal > (select min(ordinal) from log_incarnations)),
    oldest as materialized (
      select id, transaction_id, create_time < clock_timestamp() - make_interval(secs => $1::float8 / 1000) as old
      from events, following f
      where id < coalesce(f.ordinal, 9223372036854775807)
        and transaction_id < case when f.ordinal is null
          then pg_snapshot_xmin(pg_current_snapshot()) else '18446744073709551615' end
      order by transaction_id, id limit $2),
    young as materialized (select transaction_id, id from oldest where not old order by transaction_id, id limit 1)
  delete from events e using oldest o, horizon
  where e.id = o.id and not exists (select 1 from young y where (y.transaction_id, y.id) <= (o.transaction_id, o.id))
  returning e.id, e.transaction_id, e.payload`;

const removeAudienceText = `
  delete from event_audience a
  using unnest($1::uuid[], $2::xid8[], $3::bigint[]) as gone (user_id, transaction_id, event_id)
  where a.user_id = gone.user_id and a.transaction_id = gone.transaction_id and a.event_id = gone.event_id`;

const moveHorizon = `
  update event_horizon set transaction_id = gone.transaction_id, event_id = gone.event_id
  from (
    select * from unnest($1::xid8[], $2::bigint[]) as t (transaction_id, event_id)
    order by transaction_id desc, event_id desc limit 1) gone
  where event_horizon.id = 1`;

/** A row of the log that was deleted. */
export interface GoneEvent {
  id: string;
  transaction_id: string;
  payload: Buffer;
}

/** Removes the events that were deleted from the parts of their people. */
export async function removeAudience(
  em: EntityManager,
  gone: readonly GoneEvent[],
  audienceOf: Pruning['audienceOf'],
): Promise<void> {
  const rows = gone.flatMap(({ id, transaction_id: transactionId, payload }) =>
    audienceOf(payload).map((userId) => ({ userId, transactionId, id })),
  );
  await runStatement(em, removeAudienceText, [
    rows.map((row) => row.userId),
    rows.map((row) => row.transactionId),
    rows.map((row) => row.id),
  ]);
}

/** Deletes up to `limit` of the oldest events and returns how many. Runs in a transaction. */
export async function pruneEvents(em: EntityManager, { keepMs, limit, audienceOf }: Pruning): Promise<number> {
  const gone = await runStatement<GoneEvent>(em, removeOldest, [keepMs, limit]);
  if (gone.length === 0) return 0;
  await removeAudience(em, gone, audienceOf);
  await runStatement(em, moveHorizon, [gone.map((row) => row.transaction_id), gone.map((row) => row.id)]);
  return gone.length;
}
