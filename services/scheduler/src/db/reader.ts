import { notificationKindFromJSON } from '#contract/scheduler/v1/notifications';
import { taskStatusFromJSON } from '#contract/tasks/v1/tasks';
import type { SqlReader, Statement } from '#libs/db';
import type { PendingNotification, SchedulerReader } from '../deps.ts';

// With what is to be told before them: an earlier change of the same task, whichever job it was given to. Being overdue is no
// change, and may wait for its recipient's hour.
const pending: Statement = {
  name: 'pending_notifications',
  text: `
    select id, kind, recipient_id, task_id, due_version, status from notifications
    where id = any ($1::uuid[]) and state = 'pending'
    union
    select e.id, e.kind, e.recipient_id, e.task_id, e.due_version, e.status
    from notifications n join notifications e on e.recipient_id = n.recipient_id and e.task_id = n.task_id and e.event_id < n.event_id
    where n.id = any ($1::uuid[]) and n.state = 'pending' and e.state = 'pending' and (e.kind <> 1 or e.deliver_after <= now())`,
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
    union
    (select job_id from webhooks where job_id > $1 and enqueue_time < now() - interval '5 seconds' order by job_id limit $2)
    order by job_id limit $2`,
};

// Bounded, since it is asked every few seconds; beyond that the exact number says nothing more.
const counts: Statement = {
  name: 'waiting_counts',
  text: `
    select (select count(*) from (select 1 from notifications where state = 'pending' limit 100000) as bounded) as pending,
           (select count(*) from (select 1 from dead_letters where state = 'open' limit 100000) as bounded) as dead_letters`,
};

interface PendingRow {
  id: string;
  kind: number;
  recipient_id: string;
  task_id: string;
  due_version: bigint;
  status: number;
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

export function createSchedulerReader(reader: SqlReader): SchedulerReader {
  return {
    pending: async (ids) => (await reader.query<PendingRow>(pending, [ids])).map(toPending),
    expectedJobs: async (after, limit) => (await reader.query<{ job_id: string }>(expectedJobs, [after, limit])).map((row) => row.job_id),
    counts: async () => {
      const [row] = await reader.query<{ pending: bigint; dead_letters: bigint }>(counts, []);
      return { pending: Number(row?.pending ?? 0), deadLetters: Number(row?.dead_letters ?? 0) };
    },
  };
}
