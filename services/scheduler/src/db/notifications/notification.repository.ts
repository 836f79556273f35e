import { afterCommit, pickColumns, runStatement, type EntityManager, type Statement } from '#libs/db';
import {
  notificationTable,
  toPending as toPendingRow,
  type NewNotification,
} from '../../domain/notifications/notification.columns.ts';
import { toBatches, type Claimable, type DeliveryBatch } from '../../domain/notifications/delivery-batches.ts';
import type { JobMaker, NotificationRepository } from '../../domain/notifications/notification.repository.ts';
import { insertRows, transactionTime } from '../insert-rows.ts';
import { createJobRows, toPending } from '../jobs/job-rows.ts';
import { findRemoved } from './removed-user.repository.ts';
import { before, hasOpenDeadLetter, idBefore, prunes } from '../pruning.ts';

const claimedTable = pickColumns(notificationTable, 'id', 'recipientId', 'callId', 'traceParent');
/** Which notifications wait for a job, and which for their recipient's hour to be looked up. */
export const waitingNotifications = {
  forJob: `state = 'pending' and job_id is null and deliver_after <= now()`,
  forPlan: `state = 'pending' and job_id is null and deliver_after = 'infinity'`,
};

const claimText = `
  select ${claimedTable.select()} from notifications
  where ${waitingNotifications.forJob} order by deliver_after, id limit $1 for update skip locked`;

const unplannedTable = pickColumns(notificationTable, 'id', 'recipientId', 'dueTime');
const unplanned: Statement = {
  name: 'unplanned_notifications',
  text: `
    select ${unplannedTable.select()} from notifications
    where ${waitingNotifications.forPlan} order by id limit $1`,
};

const planText = `
  update notifications as n set deliver_after = planned.deliver_after
  from unnest($1::uuid[], $2::timestamptz[]) as planned (id, deliver_after)
  where n.id = planned.id and n.deliver_after = 'infinity'`;

const assignText = `
  update notifications as n set job_id = job.id, enqueue_time = clock_timestamp()
  from unnest($1::uuid[], $2::text[]) as job (notification_id, id) where n.id = job.notification_id`;

const releaseText = `
  with released as (
    update notifications set job_id = null, enqueue_time = null where job_id = any ($1::text[]) and state = 'pending' returning old.job_id)
  select distinct job_id from released`;

const endText = `
  with dead as (
    update notifications set state = 'dead' where id in (
      select id from notifications where id = any ($1::uuid[]) and state = 'pending' order by id for update)
    returning id)
  insert into deliveries (notification_id, channel, outcome, attempts, error, create_time)
  select id, 'inbox', 'dead', $2::int, $3, now() from dead`;

const pairsOf = (batches: readonly DeliveryBatch[]) =>
  batches.flatMap(({ jobId, notificationIds }) => notificationIds.map((id) => [id, jobId] as const));

/** Without the notifications that existed before: they need no job. */
function onlyAdded(batches: readonly DeliveryBatch[], added: ReadonlySet<string>): DeliveryBatch[] {
  return batches
    .map((batch) => ({ ...batch, notificationIds: batch.notificationIds.filter((id) => added.has(id)) }))
    .filter(({ notificationIds }) => notificationIds.length > 0);
}

async function addNotifications(
  em: EntityManager,
  wanted: NewNotification[],
  jobs: JobMaker | undefined,
): Promise<number> {
  if (wanted.length === 0) return 0;
  const removed = await findRemoved(em, [...new Set(wanted.map(({ recipientId }) => recipientId))]);
  const notifications = wanted.filter(({ recipientId }) => !removed.has(recipientId));
  if (notifications.length === 0) return 0;
  const batches =
    jobs === undefined
      ? []
      : toBatches(
          notifications.filter(({ waitsForHour }) => !waitsForHour),
          jobs.newJobId,
        );
  const jobOf = new Map(pairsOf(batches));
  const now = await transactionTime(em);
  const pending = notifications.map((each) => toPendingRow(each, jobOf.get(each.id) ?? null, now));
  const ending = 'on conflict (event_id, recipient_id) do nothing returning id';
  const rows = await insertRows<typeof notificationTable.columns, { id: string }>(
    em,
    notificationTable,
    pending,
    ending,
  );
  const claimed = onlyAdded(batches, new Set(rows.map(({ id }) => id)));
  if (claimed.length > 0) afterCommit(em, () => jobs?.claimed(claimed));
  return claimed.length;
}

// One half for each index.
const effectsText = `
  with notes as (
    (select id, state, deliver_time, enqueue_time, call_id from notifications where job_id = $1 and state = 'pending' limit $2)
    union all
    (select id, state, deliver_time, enqueue_time, call_id from notifications where job_id = $1 and state <> 'pending' limit $2))
  select n.id, n.state, n.enqueue_time, n.call_id, coalesce(n.deliver_time, d.create_time) as finish_time, coalesce(d.attempts, 0) as attempts
  from notes n left join lateral (
    select max(create_time) as create_time, max(attempts) as attempts from deliveries where notification_id = n.id) d on true`;

// The dead delivery goes, since the new job records another outcome under the same key.
const reviveText = `
  with revived as (
    update notifications set state = 'pending', job_id = null, enqueue_time = null
    where id in (select id from notifications where id = any ($1::uuid[]) and state = 'dead' order by id for update) returning id),
  removed as (delete from deliveries using revived where notification_id = revived.id and outcome = 'dead')
  select id from revived order by id`;

/*
 * A pruned notification is not made again: its event is behind the cursor, which moved in the transaction that inserted it, and
 * ingestEvents ignores events that are older than the retention. Pending webhook deliveries read the notification.
 */
const pruneText = `
  with old as (
    select x.id from notifications x
    where x.id < ${idBefore('$1')} and x.state <> 'pending' and coalesce(x.deliver_time, x.create_time) < ${before('$1')}
      and (x.state <> 'dead' or not ${hasOpenDeadLetter('notifications')})
      and not exists (select 1 from webhook_deliveries w where w.notification_id = x.id and w.state = 'pending')
    order by x.id limit $2 for update skip locked),
    removed as (delete from deliveries where notification_id = any (array(select id from old)))
  delete from notifications where id = any (array(select id from old)) returning 1`;

export function createNotificationRepository(em: EntityManager): NotificationRepository {
  return {
    ...createJobRows(em, 'notification', {
      table: 'notifications',
      pending: "state = 'pending'",
      effects: effectsText,
    }),
    add: (notifications, jobs) => addNotifications(em, notifications, jobs),
    listUnplanned: (limit) => runStatement(em, unplanned, [limit]),
    plan: async (planned) =>
      void (await runStatement(em, planText, [
        planned.map(({ id }) => id),
        planned.map(({ deliverAfter }) => deliverAfter),
      ])),
    claim: async (limit, newJobId) => {
      const batches = toBatches(await runStatement<Claimable>(em, claimText, [limit]), newJobId);
      const pairs = pairsOf(batches);
      if (pairs.length > 0)
        await runStatement(em, assignText, [pairs.map(([id]) => id), pairs.map(([, jobId]) => jobId)]);
      return batches;
    },
    release: async (jobIds) => (await runStatement(em, releaseText, [jobIds])).length,
    end: async (ids, { attempts, error }) => void (await runStatement(em, endText, [ids, attempts, error])),
    revive: async (ids) => toPending('notification', await runStatement<{ id: string }>(em, reviveText, [ids])),
    prune: prunes(em, pruneText),
  };
}
