import { notificationKindToNumber } from '#contract/scheduler/v1/notifications';
import { taskStatusToNumber } from '#contract/tasks/v1/tasks';
import { afterCommit, runStatement, type EntityManager } from '#libs/db';
import type { NewNotification } from './notification.entity.ts';

/** What one job delivers. */
export interface DeliveryBatch {
  jobId: string;
  notificationIds: string[];
  /** The call behind the first of them. */
  callId: string;
  traceParent: string;
  /** Of the calls behind the others. */
  links: string[];
}

/** A notification of an overdue day, before its recipient's hour is known. */
export interface UnplannedNotification {
  id: string;
  recipientId: string;
  dueTime: Date;
}

/** How notifications get a job in the transaction that records them, when the queue can take one. */
export interface JobMaker {
  newJobId: () => string;
  /** Told after the commit, of jobs that are still to be made. */
  claimed: (batches: DeliveryBatch[]) => void;
}

export interface NotificationRepository {
  /**
   * Those whose event and recipient are known already stay as they are. With `jobs`, those that need not wait are claimed at
   * once, which spares them a second version of their row; returns how many batches were.
   */
  add(notifications: NewNotification[], jobs?: JobMaker): Promise<number>;
  /** Those whose recipient's hour has to be looked up; oldest first. */
  listUnplanned(limit: number): Promise<UnplannedNotification[]>;
  /** Says when they are to go out; what has been planned stays as it is. */
  plan(planned: { id: string; deliverAfter: Date }[]): Promise<void>;
  /** Records a job for each batch of pending notifications that have none and whose time has come; oldest first. Replicas never get the same. */
  claim(limit: number, newJobId: () => string): Promise<DeliveryBatch[]>;
  /** The jobs are lost: what is still pending of them may be claimed again; returns of how many jobs there was something. */
  release(jobIds: string[]): Promise<number>;
  /** The job that should have delivered them died: ends those that are still pending. */
  bury(ids: string[], death: { attempts: number; error: string }): Promise<void>;
}

/** One job's: its calls of tasks and users and its transaction serve all of them, whoever the recipients are. */
const maxBatch = 500;

const insertText = `
  insert into notifications (id, recipient_id, event_id, kind, task_id, task_title, due_time, due_version, task_version,
    previous_status, status, actor, call_id, trace_parent, event_time, state, deliver_after, job_id, enqueue_time, create_time)
  select id, recipient_id, event_id, kind, task_id, task_title, due_time, due_version, task_version,
    previous_status, status, actor, call_id, trace_parent, event_time, 'pending',
    case when waits_for_hour then 'infinity' else now() end, job_id, case when job_id is not null then clock_timestamp() end, now()
  from jsonb_to_recordset($1::jsonb) as n (id uuid, recipient_id uuid, event_id bigint, kind smallint, task_id uuid,
    task_title text, due_time timestamptz, due_version bigint, task_version bigint, previous_status smallint,
    status smallint, actor text, call_id text, trace_parent text, event_time timestamptz, waits_for_hour boolean, job_id text)
  on conflict (event_id, recipient_id) do nothing returning id`;

const claimText = `
  select id, recipient_id, call_id, trace_parent from notifications
  where state = 'pending' and job_id is null and deliver_after <= now() order by deliver_after, id limit $1 for update skip locked`;

const unplannedText = `
  select id, recipient_id, due_time from notifications
  where state = 'pending' and job_id is null and deliver_after = 'infinity' order by id limit $1`;

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

const buryText = `
  with dead as (
    update notifications set state = 'dead' where id in (
      select id from notifications where id = any ($1::uuid[]) and state = 'pending' order by id for update)
    returning id)
  insert into deliveries (notification_id, channel, outcome, attempts, error, create_time)
  select id, 'inbox', 'dead', $2::int, $3, now() from dead`;

interface ClaimedRow {
  id: string;
  recipient_id: string;
  call_id: string;
  trace_parent: string;
}

type Claimable = Pick<NewNotification, 'id' | 'recipientId' | 'callId' | 'traceParent'>;

function toClaimable(row: ClaimedRow): Claimable {
  return { id: row.id, recipientId: row.recipient_id, callId: row.call_id, traceParent: row.trace_parent };
}

function toRecord(notification: NewNotification): Record<string, unknown> {
  return {
    id: notification.id,
    recipient_id: notification.recipientId,
    event_id: String(notification.eventId),
    kind: notificationKindToNumber(notification.kind),
    task_id: notification.taskId,
    task_title: notification.taskTitle,
    due_time: notification.dueTime,
    due_version: String(notification.dueVersion),
    task_version: String(notification.taskVersion),
    previous_status: taskStatusToNumber(notification.previousStatus),
    status: taskStatusToNumber(notification.status),
    actor: notification.actor,
    call_id: notification.callId,
    trace_parent: notification.traceParent,
    event_time: notification.eventTime,
    waits_for_hour: notification.waitsForHour,
  };
}

/**
 * As many batches as it takes. What goes to one recipient stands together: jobs that share recipients ask for the same settings,
 * and wait for each other where digests begin.
 */
export function toBatches(rows: readonly Claimable[], newJobId: () => string): DeliveryBatch[] {
  const sorted = rows.toSorted((a, b) => (a.recipientId < b.recipientId ? -1 : Number(a.recipientId > b.recipientId)));
  return Array.from({ length: Math.ceil(sorted.length / maxBatch) }, (_, index) => {
    const part = sorted.slice(index * maxBatch, (index + 1) * maxBatch);
    const [callId = '', traceParent = ''] = [part[0]?.callId, part[0]?.traceParent];
    const links = [...new Set(part.map((row) => row.traceParent))].filter((other) => other !== traceParent);
    return { jobId: newJobId(), notificationIds: part.map(({ id }) => id), callId, traceParent, links };
  });
}

const pairsOf = (batches: readonly DeliveryBatch[]) => batches.flatMap(({ jobId, notificationIds }) => notificationIds.map((id) => [id, jobId] as const));

/** Without what was known before: nobody waits for a job of that. */
function onlyAdded(batches: readonly DeliveryBatch[], added: ReadonlySet<string>): DeliveryBatch[] {
  return batches.map((batch) => ({ ...batch, notificationIds: batch.notificationIds.filter((id) => added.has(id)) })).filter(({ notificationIds }) => notificationIds.length > 0);
}

async function addNotifications(em: EntityManager, notifications: NewNotification[], jobs: JobMaker | undefined): Promise<number> {
  if (notifications.length === 0) return 0;
  const batches = jobs === undefined ? [] : toBatches(notifications.filter(({ waitsForHour }) => !waitsForHour), jobs.newJobId);
  const jobOf = new Map(pairsOf(batches));
  const records = notifications.map((notification) => ({ ...toRecord(notification), job_id: jobOf.get(notification.id) ?? null }));
  const rows = await runStatement<{ id: string }>(em, insertText, [JSON.stringify(records)]);
  const claimed = onlyAdded(batches, new Set(rows.map(({ id }) => id)));
  if (claimed.length > 0) afterCommit(em, () => jobs?.claimed(claimed));
  return claimed.length;
}

export function createNotificationRepository(em: EntityManager): NotificationRepository {
  return {
    add: (notifications, jobs) => addNotifications(em, notifications, jobs),
    listUnplanned: async (limit) => {
      const rows = await runStatement<{ id: string; recipient_id: string; due_time: string }>(em, unplannedText, [limit]);
      return rows.map((row) => ({ id: row.id, recipientId: row.recipient_id, dueTime: new Date(row.due_time) }));
    },
    plan: async (planned) => void (await runStatement(em, planText, [planned.map(({ id }) => id), planned.map(({ deliverAfter }) => deliverAfter)])),
    claim: async (limit, newJobId) => {
      const batches = toBatches((await runStatement<ClaimedRow>(em, claimText, [limit])).map(toClaimable), newJobId);
      const pairs = pairsOf(batches);
      if (pairs.length > 0) await runStatement(em, assignText, [pairs.map(([id]) => id), pairs.map(([, jobId]) => jobId)]);
      return batches;
    },
    release: async (jobIds) => (await runStatement(em, releaseText, [jobIds])).length,
    bury: async (ids, { attempts, error }) => void (await runStatement(em, buryText, [ids, attempts, error])),
  };
}
