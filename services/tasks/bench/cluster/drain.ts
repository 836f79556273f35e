import { Client } from 'pg';
import { waitUntil, type Cluster, type ServiceName } from '#dev/cluster';

/** What the largest data leave behind takes some minutes. */
const giveUpAfterMs = 1_800_000;

const lastEvent = {
  name: 'last_event',
  text: 'select (transaction_id, id)::text as last from events order by transaction_id desc, id desc limit 1',
};

// Each job stands in PostgreSQL as a row that waits for it. A notification may also wait for its recipient's hour.
const leftToDo = {
  name: 'left_to_do',
  text: `
    select (select (transaction_id, event_id)::text from event_cursors limit 1) as read,
      exists (select from notifications
          where state = 'pending' and (deliver_after <= now() or deliver_after = 'infinity'))
        or exists (select from webhook_deliveries where state = 'pending')
        or exists (select from schedule_runs where state = 'pending') as waits`,
};

/** Tells when the work that calls have left behind is done. The caller closes it. */
export interface Drain {
  /** Resolves when the scheduler has read every event and no job is left. */
  finished(): Promise<void>;
  close(): Promise<void>;
}

/** Its connections stay open: a new one would cost PostgreSQL more than the look. */
export async function watchDrain(cluster: Cluster): Promise<Drain> {
  const connect = async (service: ServiceName): Promise<Client> => {
    const client = new Client({ connectionString: cluster.databaseUrl(service) });
    await client.connect();
    return client;
  };
  const [tasks, scheduler] = [await connect('tasks'), await connect('scheduler')];
  const look = async (): Promise<{ unread: boolean; waits: boolean }> => {
    const [event] = (await tasks.query<{ last: string }>(lastEvent)).rows;
    const [row] = (await scheduler.query<{ read: string | null; waits: boolean }>(leftToDo)).rows;
    return { unread: event !== undefined && event.last !== row?.read, waits: row?.waits ?? false };
  };
  return {
    finished: async () => void (await waitUntil(look, { unread: false, waits: false }, giveUpAfterMs)),
    close: async () => {
      await tasks.end();
      await scheduler.end();
    },
  };
}
