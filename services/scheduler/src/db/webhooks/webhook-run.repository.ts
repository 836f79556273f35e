import { afterCommit, runStatement, type EntityManager } from '#libs/db';
import { announce } from '#libs/events';
import { inboxChannel } from '../notifications/inbox.repository.ts';
import type {
  WebhookRun,
  BegunAttempt,
  AttemptEnd,
  WebhookRunRepository,
} from '../../domain/webhooks/webhook-run.repository.ts';
import { maxWaiting } from '../../domain/webhooks/webhook-feed.repository.ts';
import { createJobRows, toPending } from '../jobs/job-rows.ts';
import { disabledError } from './webhook-feed.repository.ts';

/** Which webhooks wait for a job. */
export const waitingWebhooks = `state = 'enabled' and job_id is null and next_run_time <= clock_timestamp()`;

const claimText = `
  select id from webhooks where ${waitingWebhooks}
  order by next_run_time, id limit $1 for update skip locked`;
const assignText = `
  update webhooks w set job_id = job.id, enqueue_time = clock_timestamp()
  from unnest($1::uuid[], $2::text[]) as job (webhook_id, id) where w.id = job.webhook_id`;
const releaseText = `
  update webhooks set job_id = null, enqueue_time = null, next_run_time = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
  where job_id = any ($1::text[]) and state = 'enabled' returning id`;

const wakeText = `
  update webhooks set next_run_time = clock_timestamp() where id = $1 and state = 'enabled' and job_id is null returning id`;
const holdText = `select 1 from webhooks where id = $1 and job_id = $2 and state = 'enabled' for update`;

/*
 * A change is not sent after a newer one of its task; being overdue is no change. The attempt is recorded before it is made, so
 * that attempts of vanished processes show.
 */
const beginText = `
  update webhook_deliveries d set attempts = d.attempts + 1, first_attempt_time = coalesce(d.first_attempt_time, clock_timestamp()), body = coalesce(d.body, $3)
  where d.id = $1 and d.state = 'pending' and d.attempts = $2 and (d.redelivery or d.kind not in (2, 3) or not exists (
    select 1 from webhook_deliveries newer
    where newer.webhook_id = d.webhook_id and newer.task_id = d.task_id and newer.state = 'delivered' and newer.kind in (2, 3) and newer.task_version > d.task_version))
  returning d.attempts as number, d.body, d.first_attempt_time::text`;
const supersedeText = `update webhook_deliveries set state = 'stale', finish_time = now() where id = $1 and state = 'pending' and attempts = $2`;
const attemptText = `
  insert into webhook_attempts (delivery_id, number, start_time, error) values ($1, $2, clock_timestamp(), '') on conflict do nothing`;

const endAttemptText = `update webhook_attempts set duration_ms = $3, status_code = $4, error = $5 where delivery_id = $1 and number = $2`;
const endDeliveryText = `
  update webhook_deliveries set last_status_code = $3::int, last_error = $4::text, next_attempt_time = $5::timestamptz,
    state = case when $4::text = '' then 'delivered' when $5::timestamptz is null then 'dead' else 'pending' end,
    finish_time = case when $4::text = '' or $5::timestamptz is null then clock_timestamp() end
  where id = $1 and attempts = $2 and state = 'pending' returning first_attempt_time::text`;
const succeedText = `update webhooks set failures = 0, failing_since = null, last_success_time = clock_timestamp() where id = $1`;
const failText = `
  update webhooks set failures = failures + 1, failing_since = coalesce(failing_since, clock_timestamp()) where id = $1
  returning coalesce(last_success_time < $2::timestamptz, true) as fails_throughout`;

const dropText = `
  update webhook_deliveries set state = $2, last_error = $3, next_attempt_time = null, finish_time = clock_timestamp()
  where id = any ($1::uuid[]) and state = 'pending'`;

const disableText = `
  update webhooks set state = 'disabled', disable_reason = $2, disable_time = now(), next_run_time = null, job_id = null, enqueue_time = null, update_time = now()
  where id = $1 and state = 'enabled' returning owner_id, url`;
const dropAllText = `
  update webhook_deliveries set state = 'dead', last_error = '${disabledError}', next_attempt_time = null, finish_time = clock_timestamp()
  where webhook_id = $1 and state = 'pending'`;
// Regardless of the owner's channels: otherwise the owner would not notice.
const tellText = `
  insert into notifications (id, recipient_id, event_id, kind, task_id, task_title, due_version, task_version, previous_status, status, actor, call_id, trace_parent,
    event_time, state, deliver_time, create_time, webhook_id, feed_transaction, feed_number, feed_incarnation)
  values (uuidv7(), $1, null, 5, null, '', 0, 0, 0, 0, 'service:scheduler', '', '', now(), 'delivered', now(), now(), $2, pg_current_xact_id(), 1, log_incarnation())
  returning id`;

/**
 * Whether no earlier message delays it, of webhook_deliveries d: of its task, among notifications, or of its subject, among
 * what happened.
 */
export const isHead = `
  (d.redelivery or case when d.subject_id is null
    then d.task_id is null or not exists (
      select 1 from webhook_deliveries earlier
      where earlier.webhook_id = d.webhook_id and earlier.task_id = d.task_id and earlier.subject_id is null
        and earlier.state = 'pending' and not earlier.redelivery
        and (earlier.task_version, earlier.event_id) < (d.task_version, d.event_id))
    else not exists (
      select 1 from webhook_deliveries earlier
      where earlier.webhook_id = d.webhook_id and earlier.subject_id = d.subject_id and earlier.event_id < d.event_id
        and earlier.state = 'pending' and not earlier.redelivery) end)`;
/*
 * It is due when a message is, or when there is something to read and room for it; one that has just begun to read does so
 * every second.
 */
const finishText = `
  update webhooks w set job_id = null, enqueue_time = null, next_run_time = least(
    greatest(
      least(
        (select min(next_attempt_time) from webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending' and ${isHead}),
        case when w.unread and (
          select count(*) from (
            select from webhook_deliveries d
            where d.webhook_id = w.id and d.state = 'pending' and d.subject_id is not null limit ${maxWaiting}) waiting) < ${maxWaiting}
        then clock_timestamp() end),
      clock_timestamp() + make_interval(secs => $3::float8 / 1000)),
    case when w.settle_time > clock_timestamp() then clock_timestamp() + interval '1 second' end)
  where w.id = $1 and w.job_id = $2 and (w.unread or w.settle_time > clock_timestamp()
    or exists (select 1 from webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending'))
  returning w.id`;
const finishIdleText = `update webhooks set job_id = null, enqueue_time = null, next_run_time = null where id = $1 and job_id = $2`;

const pruneText = `
  with gone as (
    delete from webhook_deliveries where id in (
      (select d.id from webhook_deliveries d join webhooks w on w.id = d.webhook_id where w.state = 'deleted' limit $2)
      union all
      (select id from webhook_deliveries where finish_time < now() - make_interval(secs => $1::float8 / 1000) limit $2)
      limit $2)
    returning id),
    attempts as (delete from webhook_attempts a using gone where a.delivery_id = gone.id)
  select id from gone`;
const pruneWebhooksText = `
  delete from webhooks w where w.id in (
    select id from webhooks where state = 'deleted' and not exists (select 1 from webhook_deliveries d where d.webhook_id = webhooks.id) limit $1)`;

type Run = <Row>(text: string, parameters: unknown[]) => Promise<Row[]>;

async function begin(
  run: Run,
  { webhookId, jobId }: WebhookRun,
  delivery: { id: string; attempts: number; body: string },
): Promise<BegunAttempt | undefined> {
  if ((await run(holdText, [webhookId, jobId])).length === 0) return undefined;
  const [row] = await run<{ number: number; body: string; first_attempt_time: string }>(beginText, [
    delivery.id,
    delivery.attempts,
    delivery.body,
  ]);
  if (row === undefined) {
    await run(supersedeText, [delivery.id, delivery.attempts]);
    return undefined;
  }
  await run(attemptText, [delivery.id, row.number]);
  return { number: row.number, body: row.body, firstAttemptTime: new Date(row.first_attempt_time) };
}

async function end(
  run: Run,
  { webhookId }: WebhookRun,
  attempt: AttemptEnd,
): Promise<{ gaveUp: boolean; failsThroughout: boolean }> {
  const { deliveryId, number, durationMs, statusCode = null, error, retryTime = null } = attempt;
  await run(endAttemptText, [deliveryId, number, durationMs, statusCode, error]);
  const [row] = await run<{ first_attempt_time: string }>(endDeliveryText, [
    deliveryId,
    number,
    statusCode,
    error,
    retryTime,
  ]);
  if (error === '') {
    await run(succeedText, [webhookId]);
    return { gaveUp: false, failsThroughout: false };
  }
  // Another process has begun a later attempt, whose end decides about the endpoint.
  if (row === undefined) return { gaveUp: false, failsThroughout: false };
  const [webhook] = await run<{ fails_throughout: boolean }>(failText, [webhookId, row.first_attempt_time]);
  return { gaveUp: retryTime === null, failsThroughout: webhook?.fails_throughout === true };
}

async function finish(run: Run, { webhookId, jobId }: WebhookRun, pauseMs: number): Promise<void> {
  // Queueing takes this lock too, so the next statement sees every delivery that was queued before.
  await run('select 1 from webhooks where id = $1 for update', [webhookId]);
  const busy = await run(finishText, [webhookId, jobId, pauseMs]);
  if (busy.length === 0) await run(finishIdleText, [webhookId, jobId]);
}

export function createWebhookRunRepository(em: EntityManager): WebhookRunRepository {
  const run: Run = (text, parameters) => runStatement(em, text, parameters);
  return {
    ...createJobRows(em, 'webhook', { table: 'webhooks', pending: 'job_id is not null' }),
    claim: async (limit, newJobId) => {
      const runs = (await run<{ id: string }>(claimText, [limit])).map(({ id }) => ({
        webhookId: id,
        jobId: newJobId(),
      }));
      if (runs.length > 0)
        await run(assignText, [runs.map(({ webhookId }) => webhookId), runs.map(({ jobId }) => jobId)]);
      return runs;
    },
    release: async (jobIds, pauseMs = 0) => (await run(releaseText, [jobIds, pauseMs])).length,
    wake: async (webhookId) => toPending('webhook', await run<{ id: string }>(wakeText, [webhookId])),
    begin: (ours, delivery) => begin(run, ours, delivery),
    end: (ours, attempt) => end(run, ours, attempt),
    drop: async (deliveryIds, { state, error }) => void (await run(dropText, [deliveryIds, state, error])),
    disable: async (webhookId, reason) => {
      const [webhook] = await run<{ owner_id: string }>(disableText, [webhookId, reason]);
      if (webhook === undefined) return undefined;
      await run(dropAllText, [webhookId]);
      const [notification] = await run<{ id: string }>(tellText, [webhook.owner_id, webhookId]);
      afterCommit(em, () => announce(em, inboxChannel));
      return notification?.id;
    },
    finish: (ours, pauseMs) => finish(run, ours, pauseMs),
    prune: async (keepMs, limit) => {
      const pruned = (await run(pruneText, [keepMs, limit])).length;
      await run(pruneWebhooksText, [limit]);
      return pruned;
    },
  };
}
