import { notificationKindToNumber } from '#contract/scheduler/v1/notifications';
import { taskStatusToNumber } from '#contract/tasks/v1/tasks';
import { runStatement, type EntityManager } from '#libs/db';
import type { NewNotification, NotificationState } from './notification.entity.ts';

/** What one job delivers: notifications of one recipient. */
export interface DeliveryBatch {
  jobId: string;
  recipientId: string;
  notificationIds: string[];
  /** The call behind the first of them. */
  callId: string;
  traceParent: string;
  /** Of the calls behind the others. */
  links: string[];
}

/** How a notification ended, and after how many tries. */
export interface DeliveryOutcome {
  state: Exclude<NotificationState, 'pending'>;
  attempts: number;
  /** '' unless it died. */
  error: string;
}

export interface NotificationRepository {
  /** Those whose event and recipient are known already stay as they are. */
  add(notifications: NewNotification[]): Promise<void>;
  /** Records a job for each batch of pending notifications that have none; oldest first. Replicas never get the same. */
  claim(limit: number, newJobId: () => string): Promise<DeliveryBatch[]>;
  /** The jobs are lost: what is still pending of them may be claimed again; returns how many notifications that are. */
  release(jobIds: string[]): Promise<number>;
  /** Ends those that are still pending and writes their delivery; returns how many. This guard makes repetition harmless. */
  settle(ids: string[], outcome: DeliveryOutcome): Promise<number>;
}

/** The inbox is the recipient's list of notifications itself. */
const inbox = 'inbox';
const maxBatch = 100;

const insertText = `
  insert into notifications (id, recipient_id, event_id, kind, task_id, task_title, due_time, due_version, task_version,
    previous_status, status, actor, call_id, trace_parent, event_time, state, create_time)
  select id, recipient_id, event_id, kind, task_id, task_title, due_time, due_version, task_version,
    previous_status, status, actor, call_id, trace_parent, event_time, 'pending', now()
  from jsonb_to_recordset($1::jsonb) as n (id uuid, recipient_id uuid, event_id bigint, kind smallint, task_id uuid,
    task_title text, due_time timestamptz, due_version bigint, task_version bigint, previous_status smallint,
    status smallint, actor text, call_id text, trace_parent text, event_time timestamptz)
  on conflict (event_id, recipient_id) do nothing`;

const claimText = `
  select id, recipient_id, call_id, trace_parent from notifications
  where state = 'pending' and job_id is null order by id limit $1 for update skip locked`;

const assignText = `
  update notifications as n set job_id = job.id, enqueue_time = clock_timestamp()
  from unnest($1::uuid[], $2::text[]) as job (notification_id, id) where n.id = job.notification_id`;

const releaseText = `update notifications set job_id = null, enqueue_time = null where job_id = any ($1::text[]) and state = 'pending' returning id`;

const settleText = `
  with settled as (
    update notifications set state = $2, deliver_time = case when $2 = 'delivered' then now() end
    where id = any ($1::uuid[]) and state = 'pending' returning id)
  insert into deliveries (notification_id, channel, outcome, attempts, error, create_time)
  select id, '${inbox}', $2, $3::int, $4, now() from settled returning notification_id`;

interface ClaimedRow {
  id: string;
  recipient_id: string;
  call_id: string;
  trace_parent: string;
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
  };
}

/** One batch for each recipient, and another wherever one is full. */
export function toBatches(rows: ClaimedRow[], newJobId: () => string): DeliveryBatch[] {
  const batches: DeliveryBatch[] = [];
  const open = new Map<string, DeliveryBatch>();
  for (const row of rows) {
    let batch = open.get(row.recipient_id);
    if (batch === undefined || batch.notificationIds.length === maxBatch) {
      batch = { jobId: newJobId(), recipientId: row.recipient_id, notificationIds: [], callId: row.call_id, traceParent: row.trace_parent, links: [] };
      open.set(row.recipient_id, batch);
      batches.push(batch);
    }
    batch.notificationIds.push(row.id);
    if (row.trace_parent !== batch.traceParent && !batch.links.includes(row.trace_parent)) batch.links.push(row.trace_parent);
  }
  return batches;
}

export function createNotificationRepository(em: EntityManager): NotificationRepository {
  return {
    add: async (notifications) => {
      if (notifications.length > 0) await runStatement(em, insertText, [JSON.stringify(notifications.map(toRecord))]);
    },
    claim: async (limit, newJobId) => {
      const batches = toBatches(await runStatement<ClaimedRow>(em, claimText, [limit]), newJobId);
      const pairs = batches.flatMap((batch) => batch.notificationIds.map((id) => [id, batch.jobId] as const));
      if (pairs.length > 0) await runStatement(em, assignText, [pairs.map(([id]) => id), pairs.map(([, jobId]) => jobId)]);
      return batches;
    },
    release: async (jobIds) => (await runStatement(em, releaseText, [jobIds])).length,
    settle: async (ids, { state, attempts, error }) => {
      if (ids.length === 0) return 0;
      return (await runStatement(em, settleText, [ids, state, attempts, error])).length;
    },
  };
}
