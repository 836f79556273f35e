import { notificationKindToNumber } from '#contract/scheduler/v1/notifications';
import { afterCommit, pickColumns, runStatement, type EntityManager, type RowOf, type Statement } from '#libs/db';
import { announce } from '#libs/events';
import type { DeliveryPlan, NotificationOutcome } from '../../domain/notifications/delivery-plan.ts';
import { notificationTable } from '../../domain/notifications/notification.columns.ts';
import { webhookTable } from '../../domain/webhooks/webhook.columns.ts';
import { inboxChannel } from './inbox.repository.ts';
import type { DigestState, DeliveryRepository } from '../../domain/notifications/delivery.repository.ts';
import { before, idBefore, prunes } from '../pruning.ts';

const lockedTable = pickColumns(notificationTable, 'id', 'recipientId', 'kind', 'taskId', 'taskVersion', 'eventId');
const lock: Statement = {
  name: 'lock_notifications',
  text: `
    select ${lockedTable.select('n')},
      n.kind in (2, 3) and exists (
        select 1 from notifications newer
        where newer.recipient_id = n.recipient_id and newer.task_id = n.task_id and newer.kind in (2, 3)
          and newer.state = 'delivered' and newer.task_version > n.task_version) as superseded
    from notifications n where n.id = any ($1::uuid[]) and n.state = 'pending' and n.event_id is not null
    order by n.id for update of n`,
};
type LockedRow = RowOf<typeof lockedTable.columns> & { superseded: boolean };

// Counts no further than the threshold.
const waitingText = `
  select r.id as recipient_id, count(p.*)::int as waiting
  from unnest($1::uuid[]) r (id)
  left join lateral (
    select 1 from notifications where recipient_id = r.id and state = 'pending' and kind = 1 and deliver_after <= now() limit $2::int + 1) p on true
  group by r.id`;

const openText = `
  select r.id as recipient_id, d.id as digest_id
  from unnest($1::uuid[]) r (id)
  left join lateral (
    select id from notifications
    where recipient_id = r.id and digest_time > clock_timestamp() - make_interval(secs => $2::float8 / 1000)
    order by digest_time desc limit 1) d on true`;

// Otherwise two jobs of one recipient would begin two digests. Always in this order, and after the notifications' own locks.
const takeTurnsText = `select pg_advisory_xact_lock(hashtextextended('digest ' || id, 0)) from (select unnest($1::text[]) as id order by 1) r`;

const subscriptionTable = pickColumns(webhookTable, 'id', 'ownerId', 'kinds');
const subscriptionsText = `
  select ${subscriptionTable.select()} from webhooks where owner_id = any ($1::uuid[]) and state = 'enabled' order by id`;

/*
 * The place in the feed is numbered within the transaction; see notification-feed.ts. Digests that grow come behind.
 */
const completeText = `
  update notifications n set
    state = s.state, in_inbox = s.in_inbox,
    deliver_time = case when s.state = 'delivered' then now() end,
    digest_id = s.digest_id, digest_size = s.digest_size,
    digest_time = case when s.digest_size > 0 then clock_timestamp() end,
    feed_transaction = case when s.in_inbox then pg_current_xact_id() end,
    feed_number = case when s.in_inbox then s.place end,
    feed_incarnation = (select log_incarnation())
  from unnest($1::uuid[], $2::text[], $3::boolean[], $4::uuid[], $5::int[])
    with ordinality as s (id, state, in_inbox, digest_id, digest_size, place)
  where n.id = s.id`;

const deliveriesText = `
  insert into deliveries (notification_id, channel, outcome, attempts, error, create_time)
  select id, channel, outcome, $4::int, '', now() from unnest($1::uuid[], $2::text[], $3::text[]) as d (id, channel, outcome)
  on conflict (notification_id, channel) do update set outcome = excluded.outcome, attempts = excluded.attempts, error = '', create_time = now()`;

const growText = `
  update notifications n set
    digest_size = n.digest_size + g.by, digest_time = clock_timestamp(), read_time = null,
    feed_transaction = case when n.in_inbox then pg_current_xact_id() end,
    feed_number = case when n.in_inbox then 1000000 + g.place end,
    feed_incarnation = (select log_incarnation())
  from unnest($1::uuid[], $2::int[]) with ordinality as g (id, by, place) where n.id = g.id`;

// A digest's message waits until the digest has stopped growing; a message that was sent stays as it was.
const postponeDigestText = `
  update webhook_deliveries set next_attempt_time = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
  where notification_id = any ($1::uuid[]) and state = 'pending' and attempts = 0`;

const queueText = `
  insert into webhook_deliveries (id, webhook_id, notification_id, kind, task_id, task_version, event_id, message_id, state, attempts, next_attempt_time, create_time)
  select uuidv7(), webhook_id, notification_id, kind, task_id, task_version, event_id, 'evt_' || event_id || '_' || replace(webhook_id::text, '-', ''), 'pending', 0,
    clock_timestamp() + make_interval(secs => case when task_id is null then $7::float8 / 1000 else 0 end), now()
  from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::uuid[], $5::bigint[], $6::bigint[])
    as d (webhook_id, notification_id, kind, task_id, task_version, event_id)
  on conflict (notification_id, webhook_id) do nothing`;

const wakeWebhooksText = `
  update webhooks w set next_run_time = least(coalesce(w.next_run_time, d.due), d.due)
  from (select webhook_id, min(next_attempt_time) as due from webhook_deliveries
    where webhook_id = any ($1::uuid[]) and state = 'pending' group by webhook_id) d
  where w.id = d.webhook_id and w.state = 'enabled'`;

interface Statements {
  <Row>(statement: string | Statement, parameters: unknown[]): Promise<Row[]>;
}

async function digestStates(
  run: Statements,
  recipientIds: readonly string[],
  settings: { threshold: number; quietMs: number },
): Promise<DigestState[]> {
  const waiting = await run<{ recipient_id: string; waiting: number }>(waitingText, [recipientIds, settings.threshold]);
  const many = waiting.filter((row) => row.waiting > settings.threshold).map((row) => row.recipient_id);
  if (many.length > 0) await run(takeTurnsText, [many]);
  const open = await run<{ recipient_id: string; digest_id: string | null }>(openText, [
    recipientIds,
    settings.quietMs,
  ]);
  const openOf = new Map(open.map((row) => [row.recipient_id, row.digest_id ?? undefined]));
  return waiting.map((row) => ({
    recipientId: row.recipient_id,
    overdueWaiting: row.waiting,
    openDigestId: openOf.get(row.recipient_id),
  }));
}

async function complete(run: Statements, outcomes: readonly NotificationOutcome[], attempts: number): Promise<void> {
  await run(completeText, [
    outcomes.map(({ id }) => id),
    outcomes.map(({ state }) => state),
    outcomes.map(({ inInbox }) => inInbox),
    outcomes.map(({ digestId }) => digestId ?? null),
    outcomes.map(({ digestSize }) => digestSize),
  ]);
  const deliveries = outcomes.flatMap(({ id, channelOutcomes }) => channelOutcomes.map((each) => ({ id, ...each })));
  await run(deliveriesText, [
    deliveries.map(({ id }) => id),
    deliveries.map(({ channel }) => channel),
    deliveries.map(({ outcome }) => outcome),
    attempts,
  ]);
}

async function growDigests(run: Statements, grown: DeliveryPlan['grown'], quietMs: number): Promise<void> {
  if (grown.length === 0) return;
  const ids = grown.map(({ digestId }) => digestId);
  await run(growText, [ids, grown.map(({ by }) => by)]);
  await run(postponeDigestText, [ids, quietMs]);
}

async function queueForWebhooks(
  run: Statements,
  deliveries: DeliveryPlan['webhookDeliveries'],
  quietMs: number,
): Promise<void> {
  if (deliveries.length === 0) return;
  await run(queueText, [
    deliveries.map(({ webhookId }) => webhookId),
    deliveries.map(({ notificationId }) => notificationId),
    deliveries.map(({ kind }) => notificationKindToNumber(kind)),
    deliveries.map(({ task }) => task?.id ?? null),
    deliveries.map(({ task }) => String(task?.version ?? 0n)),
    deliveries.map(({ eventId }) => String(eventId)),
    quietMs,
  ]);
  // In one order, so that two jobs wait for each other instead of deadlocking.
  await run(wakeWebhooksText, [[...new Set(deliveries.map(({ webhookId }) => webhookId))].sort()]);
}

// The state of the notification prevents a second delivery, so these rows may go. By ctid, since a join of the pair of keys
// reads the whole table.
const pruneText = `
  delete from deliveries where ctid = any (array(
    select ctid from deliveries
    where notification_id < ${idBefore('$1')} and create_time < ${before('$1')} and outcome <> 'dead'
    order by notification_id, channel limit $2 for update skip locked))
  returning 1`;

export function createDeliveryRepository(em: EntityManager): DeliveryRepository {
  const run: Statements = (statement, parameters) => runStatement(em, statement, parameters);
  return {
    lock: async (ids) =>
      (await run<LockedRow>(lock, [ids])).map((row) => ({
        ...lockedTable.toValues(row),
        superseded: row.superseded,
      })),
    digestStates: (recipientIds, settings) => digestStates(run, recipientIds, settings),
    subscriptions: async (ownerIds) => {
      const rows = await run<RowOf<typeof subscriptionTable.columns>>(subscriptionsText, [ownerIds]);
      const webhooks = rows
        .map(subscriptionTable.toValues)
        .map(({ id, ...webhook }) => ({ webhookId: id, ...webhook }));
      return Map.groupBy(webhooks, ({ ownerId }) => ownerId);
    },
    record: async ({ outcomes, grown, webhookDeliveries }, { attempts, digestQuietMs }) => {
      if (outcomes.length === 0) return;
      await complete(run, outcomes, attempts);
      await growDigests(run, grown, digestQuietMs);
      await queueForWebhooks(run, webhookDeliveries, digestQuietMs);
      afterCommit(em, () => announce(em, inboxChannel));
    },
    prune: prunes(em, pruneText),
  };
}
