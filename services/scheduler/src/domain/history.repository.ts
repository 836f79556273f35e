import { runStatement, type EntityManager } from '#libs/db';

/**
 * Forgets what has ended long ago, in batches: each method deletes up to `limit` rows that are older than `keepMs` and
 * returns how many. What is pending, or waits for a person's decision, is never among them.
 */
export interface HistoryRepository {
  /** Delivered, muted and stale ones, and dead ones whose dead letter is closed; with their deliveries. */
  pruneNotifications(keepMs: number, limit: number): Promise<number>;
  /** How notifications went out; why one died stays with it. */
  pruneDeliveries(keepMs: number, limit: number): Promise<number>;
  /** Ended ones, and dead ones whose dead letter is closed. */
  pruneScheduleRuns(keepMs: number, limit: number): Promise<number>;
  /** Those that were retried or discarded, so long ago. */
  pruneDeadLetters(keepMs: number, limit: number): Promise<number>;
  pruneAdminActions(keepMs: number, limit: number): Promise<number>;
}

const before = (keepMs: string): string => `now() - make_interval(secs => ${keepMs}::float8 / 1000)`;
// Ids of records grow with time (UUIDv7), so that the oldest are found by the primary key, without an index of their own.
const idBefore = (keepMs: string): string => `(select uuidv7(make_interval(secs => -(${keepMs}::float8) / 1000)))`;
/** A person may still want its job again, of a table x. */
const hasOpenLetter = (queue: string): string => `exists (select 1 from dead_letters l where l.queue = '${queue}' and l.job_id = x.job_id and l.state = 'open')`;

/*
 * Nothing happens twice for it: its event is behind the cursor, which moved in the transaction that inserted it, and
 * ingestEvents lets events go that are older than what is kept. What a webhook is still to be sent is written from it.
 */
const notificationsText = `
  with old as (
    select x.id from notifications x
    where x.id < ${idBefore('$1')} and x.state <> 'pending' and coalesce(x.deliver_time, x.create_time) < ${before('$1')}
      and (x.state <> 'dead' or not ${hasOpenLetter('notifications')})
      and not exists (select 1 from webhook_deliveries w where w.notification_id = x.id and w.state = 'pending')
    order by x.id limit $2 for update skip locked),
    told as (delete from deliveries where notification_id = any (array(select id from old)))
  delete from notifications where id = any (array(select id from old)) returning 1`;

// Not what keeps an event from being told twice: that is the state of the notification. By ctid, since a join of the pair of
// keys reads the whole table.
const deliveriesText = `
  delete from deliveries where ctid = any (array(
    select ctid from deliveries
    where notification_id < ${idBefore('$1')} and create_time < ${before('$1')} and outcome <> 'dead'
    order by notification_id, channel limit $2 for update skip locked))
  returning 1`;

// The row of a fire time keeps it from having two runs until its schedule has moved on.
const scheduleRunsText = `
  delete from schedule_runs where id = any (array(
    select x.id from schedule_runs x
    where x.id < ${idBefore('$1')} and x.state <> 'pending' and coalesce(x.finish_time, x.create_time) < ${before('$1')}
      and (x.state <> 'dead' or not ${hasOpenLetter('schedules')})
      and not exists (select 1 from schedules s where s.id = x.schedule_id and s.next_fire_time <= x.fire_time)
    order by x.id limit $2 for update skip locked))
  returning 1`;

const deadLettersText = `
  delete from dead_letters where id = any (array(
    select id from dead_letters where state <> 'open' and settle_time < ${before('$1')} order by settle_time limit $2 for update skip locked))
  returning 1`;

const adminActionsText = `
  delete from admin_actions where id = any (array(
    select id from admin_actions where create_time < ${before('$1')} order by create_time limit $2 for update skip locked))
  returning 1`;

export function createHistoryRepository(em: EntityManager): HistoryRepository {
  const prune = (text: string) => async (keepMs: number, limit: number) => (await runStatement(em, text, [keepMs, limit])).length;
  return {
    pruneNotifications: prune(notificationsText),
    pruneDeliveries: prune(deliveriesText),
    pruneScheduleRuns: prune(scheduleRunsText),
    pruneDeadLetters: prune(deadLettersText),
    pruneAdminActions: prune(adminActionsText),
  };
}
