import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { notificationKindToNumber, NotificationKind } from '#contract/scheduler/v1/notifications';
import type { Cluster } from '#libs/devcluster';

/** What came of a task: how often it was announced as overdue, and how many notifications of that were delivered. */
export interface Effects {
  events: number;
  /** By due version: notifications in the state delivered, whoever the recipient is. */
  delivered: Map<number, number>;
  /** Recorded deliveries to inboxes. */
  deliveries: number;
}

/** Asks both databases; connections that a restart broke are opened again. */
export interface EffectsReader {
  of(taskIds: readonly string[]): Promise<Map<string, Effects>>;
  /** Notifications that have not ended. */
  pending(): Promise<number>;
  close(): Promise<void>;
}

const eventsText = `select subject_id as id, count(*)::int as count from events where type = 'TASK_EVENT_TYPE_OVERDUE' and subject_id = any ($1::uuid[]) group by 1`;
const deliveredText = `
  select n.task_id as id, n.due_version::int as version, count(*)::int as count, count(d.notification_id)::int as deliveries
  from notifications n left join deliveries d on d.notification_id = n.id and d.channel = 'inbox'
  where n.kind = $2 and n.state = 'delivered' and n.task_id = any ($1::uuid[]) group by 1, 2`;

export function openEffects(cluster: Cluster): EffectsReader {
  const tasks = openConnection(cluster.databaseUrl('tasks'));
  const scheduler = openConnection(cluster.databaseUrl('scheduler'));
  return {
    of: async (taskIds) => {
      const effects = new Map(taskIds.map((id) => [id, { events: 0, delivered: new Map<number, number>(), deliveries: 0 }]));
      for (const row of await tasks.query<{ id: string; count: number }>(eventsText, [taskIds])) Object.assign(effects.get(row.id) as Effects, { events: row.count });
      const delivered = await scheduler.query<{ id: string; version: number; count: number; deliveries: number }>(deliveredText, [taskIds, notificationKindToNumber(NotificationKind.OVERDUE)]);
      for (const { id, version, count, deliveries } of delivered) {
        const effect = effects.get(id) as Effects;
        effect.delivered.set(version, count);
        effect.deliveries += deliveries;
      }
      return effects;
    },
    pending: async () => (await scheduler.query<{ count: number }>(`select count(*)::int as count from notifications where state = 'pending'`, []))[0]?.count ?? 0,
    close: async () => {
      await tasks.close();
      await scheduler.close();
    },
  };
}

/** PostgreSQL is gone for seconds at most. */
const maxAttempts = 120;

function openConnection(url: string): { query<Row>(text: string, values: unknown[]): Promise<Row[]>; close(): Promise<void> } {
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
