import { notificationKindFromJSON, type Notification } from '#contract/scheduler/v1/notifications';
import { taskStatusFromJSON } from '#contract/tasks/v1/tasks';
import type { SqlReader, Statement } from '#libs/db';
import type { InboxPosition, PendingNotification, SchedulerReader } from '../deps.ts';

const inboxColumns = 'id, kind, task_id, task_title, due_time, previous_status, status, actor, event_time, deliver_time';

const firstPage: Statement = {
  name: 'inbox_first_page',
  text: `
    select ${inboxColumns} from notifications where recipient_id = $1 and state = 'delivered'
    order by deliver_time desc, id desc limit $2`,
};

const nextPage: Statement = {
  name: 'inbox_next_page',
  text: `
    select ${inboxColumns} from notifications
    where recipient_id = $1 and state = 'delivered' and (deliver_time, id) < ($3::timestamptz, $4::uuid)
    order by deliver_time desc, id desc limit $2`,
};

const pending: Statement = {
  name: 'pending_notifications',
  text: `
    select id, kind, recipient_id, task_id, due_version, status from notifications
    where id = any ($1::uuid[]) and state = 'pending'`,
};

// A job appears in Redis only after its id was committed here; five seconds are ample for that.
const expectedJobs: Statement = {
  name: 'expected_jobs',
  text: `
    (select distinct job_id from notifications
      where state = 'pending' and job_id > $1 and enqueue_time < now() - interval '5 seconds' order by job_id limit $2)
    union
    (select job_id from schedule_runs
      where state = 'pending' and job_id > $1 and enqueue_time < now() - interval '5 seconds' order by job_id limit $2)
    order by job_id limit $2`,
};

// Bounded, since it is asked every few seconds; beyond that the exact number says nothing more.
const counts: Statement = {
  name: 'waiting_counts',
  text: `
    select (select count(*) from (select 1 from notifications where state = 'pending' limit 100000) as bounded) as pending,
           (select count(*) from (select 1 from dead_letters limit 100000) as bounded) as dead_letters`,
};

interface InboxRow {
  id: string;
  kind: number;
  task_id: string;
  task_title: string;
  due_time: Date | null;
  previous_status: number;
  status: number;
  actor: string;
  event_time: Date;
  deliver_time: Date;
}

interface PendingRow {
  id: string;
  kind: number;
  recipient_id: string;
  task_id: string;
  due_version: bigint;
  status: number;
}

function toNotification(row: InboxRow): Notification {
  return {
    id: row.id,
    kind: notificationKindFromJSON(row.kind),
    taskId: row.task_id,
    taskTitle: row.task_title,
    dueTime: row.due_time ?? undefined,
    previousStatus: taskStatusFromJSON(row.previous_status),
    status: taskStatusFromJSON(row.status),
    actor: row.actor,
    eventTime: row.event_time,
    deliverTime: row.deliver_time,
  };
}

function toPending(row: PendingRow): PendingNotification {
  return {
    id: row.id,
    kind: notificationKindFromJSON(row.kind),
    recipientId: row.recipient_id,
    taskId: row.task_id,
    dueVersion: row.due_version,
    status: taskStatusFromJSON(row.status),
  };
}

function positionOf(row: InboxRow | undefined): InboxPosition | undefined {
  return row && { deliverTime: row.deliver_time.toISOString(), id: row.id };
}

export function createSchedulerReader(reader: SqlReader): SchedulerReader {
  return {
    inbox: async (recipientId, after, limit) => {
      // One more than asked for tells whether another page follows.
      const rows = await (after === undefined
        ? reader.query<InboxRow>(firstPage, [recipientId, limit + 1])
        : reader.query<InboxRow>(nextPage, [recipientId, limit + 1, after.deliverTime, after.id]));
      const page = rows.slice(0, limit);
      return { notifications: page.map(toNotification), next: rows.length > limit ? positionOf(page.at(-1)) : undefined };
    },
    pending: async (ids) => (await reader.query<PendingRow>(pending, [ids])).map(toPending),
    expectedJobs: async (after, limit) => (await reader.query<{ job_id: string }>(expectedJobs, [after, limit])).map((row) => row.job_id),
    counts: async () => {
      const [row] = await reader.query<{ pending: bigint; dead_letters: bigint }>(counts, []);
      return { pending: Number(row?.pending ?? 0), deadLetters: Number(row?.dead_letters ?? 0) };
    },
  };
}
