import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { TaskChange, type Task } from '#contract/tasks/v1/tasks';
import { serviceNames, type Cluster, type ServiceName } from '#dev/cluster';
import type { EventFact, Facts, HandOverFact, ReceivedFact, TaskSide } from './facts.ts';

/** Reads straight from the four databases, past every service. Connections that a restart broke are opened again. */
export interface FactsReader {
  /** `received`: what has arrived at the receivers of webhooks by now. */
  read(received?: readonly ReceivedFact[]): Promise<Facts>;
  /** How much is still to be done: tasks to announce, notifications, messages, accounts to hand over. */
  countPending(): Promise<number>;
  query<Row>(service: ServiceName, text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

const tasksText = `
  select id, owner_id as "ownerId", coalesce(assignee_id::text, '') as "assigneeId", title, status::int, version::int, due_version::int as "dueVersion",
    due_time is not null as "hasDueTime", coalesce(due_time <= now(), false) as "isDue", delete_time is not null as deleted
  from tasks`;
const duesText = `select task_id as "taskId", due_version::int as "dueVersion", overdue_time is not null and not set_aside as marked from task_due`;
const eventsText = `
  select e.id::text, e.stream_id as "streamId", e.sequence::int, replace(e.type, 'TASK_EVENT_TYPE_', '') as type, e.subject_id as "taskId",
    e.subject_version::int as "taskVersion", e.actor, e.call_id as "requestId", e.payload,
    array(select a.user_id::text from event_audience a where a.transaction_id = e.transaction_id and a.event_id = e.id order by 1) as audience
  from events e order by e.id`;
const headsText = `
  select stream_id as "streamId", last_sequence::int as "lastSequence",
    (select coalesce(sum(counted), 0) from unnest(counters[1:16]) counted)::int as owned,
    (select coalesce(sum(counted), 0) from unnest(counters[17:32]) counted)::int as assigned
  from event_stream_heads`;
// A digest grows and moves in the feed while it does; its members are delivered with it.
const notificationsText = `
  select id, recipient_id as "recipientId", coalesce(event_id::text, '') as "eventId", coalesce(task_id::text, '') as "taskId",
    due_version::int as "dueVersion", state,
    coalesce(digest_id::text, '') as "digestId",
    case kind when 1 then 'OVERDUE' when 2 then 'STATUS_CHANGED' when 3 then 'ASSIGNED' else 'OTHER' end as kind,
    concat_ws(' ', extract(epoch from deliver_time), case when digest_size = 0 then feed_transaction::text || ' ' || feed_number end) as delivered
  from notifications`;
const deliveriesText = `select notification_id as "notificationId", channel, outcome from deliveries`;
const webhooksText = `select owner_id as "ownerId" from webhooks where state = 'enabled'`;
const webhookDeliveriesText = `
  select d.id, d.webhook_id as "webhookId", w.owner_id as "ownerId", coalesce(d.notification_id::text, '') as "notificationId",
    d.message_id as "messageId", d.state, d.attempts
  from webhook_deliveries d join webhooks w on w.id = d.webhook_id`;
const accountsText = `
  select id, email, role, (select count(*) from sessions s where s.account_id = a.id)::int as sessions from accounts a`;

const pendingText = `
  select (select count(*) from notifications where state = 'pending') + (select count(*) from webhook_deliveries where state = 'pending') as count`;
const outboxText = 'select count(*) from outbox';
const sweepText = 'select count(*) from task_due where overdue_time is null and due_time <= now()';

function toSide(task: Task | undefined): TaskSide | undefined {
  return task && { ownerId: task.ownerId, assigneeId: task.assigneeId, title: task.title, status: task.status };
}

function toEvent({
  payload,
  ...row
}: Omit<EventFact, 'before' | 'after' | 'dueVersion'> & { payload: Buffer }): EventFact {
  const { before, after, dueVersion } = TaskChange.decode(payload);
  return { ...row, dueVersion: Number(dueVersion), before: toSide(before), after: toSide(after) };
}

/** What the logs say of accounts that were handed over to users. */
function readHandOvers(cluster: Cluster): HandOverFact[] {
  const linesOf = (service: ServiceName, having: string): { requestId?: string; code?: string }[] =>
    cluster.labels
      .filter((label) => label.split('-')[0] === service)
      .flatMap((_, replica) => cluster.logs(service, replica).split('\n'))
      .filter((line) => line.includes(having) && line.endsWith('}'))
      .map((line) => JSON.parse(line) as { requestId?: string; code?: string });
  const received = linesOf('users', 'InternalUsersService/UpsertProfile').filter(({ code }) => code === 'OK');
  const failed = linesOf('auth', 'outbox call failed');
  return [
    ...received.map(({ requestId = '' }) => ({ requestId, what: 'received' as const })),
    ...failed.map(({ requestId = '' }) => ({ requestId, what: 'failed' as const })),
  ];
}

export function openFacts(cluster: Cluster): FactsReader {
  const connections = new Map(serviceNames.map((service) => [service, openConnection(cluster.databaseUrl(service))]));
  const query: FactsReader['query'] = async (service, text, values = []) =>
    (connections.get(service) as Connection).query(text, values);
  const count = async (service: ServiceName, text: string): Promise<number> =>
    Number((await query<{ count: string }>(service, text))[0]?.count ?? 0);
  return {
    query,
    countPending: async () =>
      (await count('tasks', sweepText)) + (await count('scheduler', pendingText)) + (await count('auth', outboxText)),
    read: async (received = []) => ({
      tasks: await query('tasks', tasksText),
      dues: await query('tasks', duesText),
      events: (await query<Parameters<typeof toEvent>[0]>('tasks', eventsText)).map(toEvent),
      heads: await query('tasks', headsText),
      notifications: await query('scheduler', notificationsText),
      deliveries: await query('scheduler', deliveriesText),
      webhookOwners: (await query<{ ownerId: string }>('scheduler', webhooksText)).map(({ ownerId }) => ownerId),
      webhookDeliveries: await query('scheduler', webhookDeliveriesText),
      received: [...received],
      accounts: await query('auth', accountsText),
      profileIds: (await query<{ id: string }>('users', 'select id from profiles')).map(({ id }) => id),
      outbox: await count('auth', outboxText),
      handOvers: readHandOvers(cluster),
    }),
    close: async () => void (await Promise.all([...connections.values()].map((connection) => connection.close()))),
  };
}

interface Connection {
  query<Row>(text: string, values: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** PostgreSQL is gone for seconds at most. */
const maxAttempts = 120;

function openConnection(url: string): Connection {
  let current: Promise<Client> | undefined;
  const connect = async (): Promise<Client> => {
    const client = new Client({ connectionString: url });
    client.on('error', () => (current = undefined));
    await client.connect();
    return client;
  };
  return {
    query: async <Row>(text: string, values: unknown[]) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return (await (await (current ??= connect())).query(text, values)).rows as Row[];
        } catch (error) {
          current = undefined;
          if (attempt === maxAttempts) throw error;
          await pause(250);
        }
      }
    },
    close: async () => void (await (await current)?.end()),
  };
}
