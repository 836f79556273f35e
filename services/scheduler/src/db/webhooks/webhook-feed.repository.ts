import { webhookMessageTypeFromJSON, webhookMessageTypeToNumber } from '#contract/scheduler/v1/notifications';
import { runStatement, type EntityManager, type Statement } from '#libs/db';
import type { Position } from '#libs/events';
import {
  maxWaiting,
  type DeletedComment,
  type EventMessage,
  type ReadingWebhook,
  type WebhookFeedRepository,
} from '../../domain/webhooks/webhook-feed.repository.ts';
import type { WebhookRun } from '../../domain/webhooks/webhook-run.repository.ts';

/** Longer than a pull of the log of tasks lasts. */
const settleTime = "clock_timestamp() + interval '10 seconds'";
const replayFor = "interval '7 days'";

// In one order, so that two processes wait for each other instead of deadlocking.
const wakeText = `
  update webhooks w set unread = true, next_run_time = least(coalesce(w.next_run_time, clock_timestamp()), clock_timestamp())
  where w.id = any (array(
    select id from webhooks
    where coalesce(project_id, owner_id) = any ($1::uuid[]) and state = 'enabled' and events <> '{}' order by id for update))`;

const lockReading: Statement = {
  name: 'lock_reading_webhook',
  text: `
  select owner_id as "ownerId", project_id as "projectId", events, replays,
    log_incarnation as incarnation, log_transaction as "transactionId", log_event as "eventId",
    create_time as "createTime", unread or coalesce(settle_time > clock_timestamp(), false) as unread
  from webhooks where id = $1 and job_id = $2 and state = 'enabled' and log_event is not null for update`,
};
const waitingText = `
  select count(*)::int as count from (
    select from webhook_deliveries where webhook_id = $1 and state = 'pending' and subject_id is not null limit ${maxWaiting}) d`;
const readText = 'update webhooks set unread = false where id = $1 and unread';

const advanceText = `
  update webhooks set log_incarnation = $6, log_transaction = $7, log_event = $8, unread = unread or $9
  where id = $1 and job_id = $2 and state = 'enabled' and replays = $3 and log_transaction = $4 and log_event = $5 returning id`;
const messageId = `'chg_' || event_id || '_' || replace($1::text, '-', '')`;
const addText = `
  insert into webhook_deliveries (id, webhook_id, kind, event_type, task_id, task_version, event_id, message_id, body, state, attempts,
    next_attempt_time, create_time, project_id, other_project_id, subject_id, replay, log_incarnation, log_transaction)
  select uuidv7(), $1::uuid, 0, event_type, task_id, version, event_id, ${messageId}, body, 'pending', 0,
    clock_timestamp(), now(), project_id, other_project_id, subject_id, $2, log_incarnation, log_transaction
  from unnest($3::smallint[], $4::uuid[], $5::bigint[], $6::bigint[], $7::text[], $8::uuid[], $9::uuid[], $10::bigint[], $11::bigint[], $12::uuid[])
    as m (event_type, task_id, version, event_id, body, project_id, subject_id, log_incarnation, log_transaction,
      other_project_id)
  on conflict do nothing`;
const addRestoredText = `
  insert into webhook_deliveries (id, webhook_id, kind, event_type, task_version, event_id, message_id, body, state, attempts,
    next_attempt_time, create_time)
  select id, $1::uuid, 0, $2, 0, 0, 'log_' || id, $3, 'pending', 0, clock_timestamp(), now() from (select uuidv7() as id) new`;

// Those of 'comment.added' and 'comment.edited', by the index of them.
const eraseText = `
  update webhook_deliveries d set body = (d.body::jsonb #- '{data,comment,text}')::text
  from unnest($1::uuid[], $2::uuid[]) as gone (task_id, comment_id)
  where d.subject_id = gone.task_id and d.event_type in (12, 13) and d.body is not null
    and d.body::jsonb #>> '{data,comment,id}' = gone.comment_id::text`;

const startText = `
  update webhooks set log_incarnation = $2, log_transaction = $3, log_event = $4, settle_time = ${settleTime},
    next_run_time = least(coalesce(next_run_time, clock_timestamp()), clock_timestamp())
  where id = $1`;
const resumeText = `
  update webhooks set unread = true, settle_time = ${settleTime}, next_run_time = clock_timestamp()
  where id = $1 and state = 'enabled' and log_event is not null returning replays`;
export const disabledError = 'the webhook was disabled';
const reviveText = `
  update webhook_deliveries set state = 'pending', first_attempt_time = null, next_attempt_time = clock_timestamp(), finish_time = null,
    last_error = ''
  where webhook_id = $1 and replay = $2 and state = 'dead' and last_error = '${disabledError}' and finish_time > now() - ${replayFor}`;

const setBackText = `
  update webhooks set log_incarnation = $2, log_transaction = $3, log_event = $4, replays = replays + 1, unread = true,
    next_run_time = least(coalesce(next_run_time, clock_timestamp()), clock_timestamp())
  where id = $1 and (log_incarnation, log_transaction, log_event) > ($2::bigint, $3::bigint, $4::bigint) returning id`;
const replaceText = `
  update webhook_deliveries set state = 'stale', next_attempt_time = null, finish_time = clock_timestamp()
  where webhook_id = $1 and state = 'pending' and subject_id is not null
    and (log_incarnation, log_transaction, event_id) > ($2::bigint, $3::bigint, $4::bigint)`;
const findEventDelivery: Statement = {
  name: 'find_event_delivery',
  text: `
  select log_incarnation as incarnation, log_transaction as "transactionId", event_id as "eventId",
    create_time < now() - ${replayFor} as "isOld"
  from webhook_deliveries where webhook_id = $1 and id = $2 and subject_id is not null`,
};
const findSent: Statement = {
  name: 'find_sent_event',
  text: `
    select log_incarnation as incarnation, log_transaction as "transactionId", event_id as "eventId"
    from webhook_deliveries where webhook_id = $1 and subject_id is not null
    order by log_incarnation desc, log_transaction desc, event_id desc offset $2 limit 1`,
};
const oldest: Statement = {
  name: 'oldest_replay',
  text: `select (now() - ${replayFor})::timestamptz(3) as time`,
};

type Run = <Row>(text: string | Statement, parameters: unknown[]) => Promise<Row[]>;

const toValues = ({ incarnation, transactionId, eventId }: Position): string[] =>
  [incarnation, transactionId, eventId].map(String);

async function eraseTexts(run: Run, comments: readonly DeletedComment[]): Promise<void> {
  if (comments.length === 0) return;
  await run(eraseText, [comments.map(({ taskId }) => taskId), comments.map(({ commentId }) => commentId)]);
}

interface LockedRow extends Position {
  createTime: Date;
  ownerId: string;
  projectId: string | null;
  events: number[];
  replays: number;
  unread: boolean;
}

async function begin(run: Run, { webhookId, jobId }: WebhookRun): Promise<ReadingWebhook | undefined> {
  const [row] = await run<LockedRow>(lockReading, [webhookId, jobId]);
  if (row === undefined) return undefined;
  const { ownerId, projectId, replays, unread, createTime, incarnation, transactionId, eventId } = row;
  const events = row.events.map((code) => webhookMessageTypeFromJSON(code));
  const waiting =
    events.length === 0 ? maxWaiting : ((await run<{ count: number }>(waitingText, [webhookId]))[0]?.count ?? 0);
  const room = maxWaiting - waiting;
  // Before the read: whatever is announced from now on is noted again.
  if (room > 0) await run(readText, [webhookId]);
  const reader = { userId: ownerId, projectId: projectId ?? '' };
  return { reader, after: { incarnation, transactionId, eventId }, replays, events, unread, createTime, room };
}

async function add(run: Run, webhookId: string, replays: number, messages: readonly EventMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await run(addText, [
    webhookId,
    replays,
    messages.map(({ eventType }) => webhookMessageTypeToNumber(eventType)),
    messages.map(({ taskId }) => taskId || null),
    messages.map(({ version }) => String(version)),
    messages.map(({ position }) => String(position.eventId)),
    messages.map(({ body }) => body),
    messages.map(({ projectId }) => projectId || null),
    messages.map(({ subjectId }) => subjectId),
    messages.map(({ position }) => String(position.incarnation)),
    messages.map(({ position }) => String(position.transactionId)),
    messages.map(({ otherProjectId }) => otherProjectId || null),
  ]);
}

export function createWebhookFeedRepository(em: EntityManager): WebhookFeedRepository {
  const run: Run = (text, parameters) => runStatement(em, text, parameters);
  return {
    wake: async (readerIds) => void (await run(wakeText, [readerIds])),
    begin: (ours) => begin(run, ours),
    store: async ({ webhookId, jobId }, { after, replays }, { messages, deletedComments, next, more, restored }) => {
      const from = [webhookId, jobId, replays, String(after.transactionId), String(after.eventId)];
      if ((await run(advanceText, [...from, ...toValues(next), more])).length === 0) return false;
      await add(run, webhookId, replays, messages);
      // Here too: their texts may have been read for this webhook before they were deleted, and stored only now.
      await eraseTexts(run, deletedComments);
      if (restored !== undefined)
        await run(addRestoredText, [
          webhookId,
          webhookMessageTypeToNumber('WEBHOOK_MESSAGE_TYPE_LOG_RESTORED'),
          restored,
        ]);
      return true;
    },
    eraseTexts: (comments) => eraseTexts(run, comments),
    startAt: async (webhookId, position) => void (await run(startText, [webhookId, ...toValues(position)])),
    resume: async (webhookId) => {
      const [row] = await run<{ replays: number }>(resumeText, [webhookId]);
      if (row !== undefined) await run(reviveText, [webhookId, row.replays]);
    },
    setBack: async (webhookId, position) => {
      const values = [webhookId, ...toValues(position)];
      if ((await run(setBackText, values)).length > 0) await run(replaceText, values);
    },
    findDelivery: async (webhookId, deliveryId) => {
      const [row] = await run<Position & { isOld: boolean }>(findEventDelivery, [webhookId, deliveryId]);
      if (row === undefined) return undefined;
      const { isOld, ...position } = row;
      return { position, isOld };
    },
    findSent: async (webhookId, offset) => (await run<Position>(findSent, [webhookId, offset]))[0],
    oldestReplay: async () => (await run<{ time: Date }>(oldest, []))[0]?.time ?? new Date(),
  };
}
