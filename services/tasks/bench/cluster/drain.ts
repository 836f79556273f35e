import { Client } from 'pg';
import { waitUntil, type Cluster, type ServiceName } from '#dev/cluster';

/** What the largest data leave behind takes some minutes. */
const giveUpAfterMs = 1_800_000;

// The scheduler's cursor rests while events come that concern nobody but their actors.
const lastEvent = {
  name: 'last_event',
  text: `
    select transaction_id::text as transaction, id::text as event from events
    where concerns_others is not false order by transaction_id desc, id desc limit 1`,
};

// Each job stands in PostgreSQL as a row that waits for it. A notification may also wait for its recipient's hour.
const leftToDo = {
  name: 'left_to_do',
  text: `
    select
      $1::text is not null and not exists (
        select from event_cursors where (transaction_id, event_id) >= ($1::text::xid8, $2::text::bigint)) as unread,
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
  const look = async (): Promise<unknown> => {
    const [event] = (await tasks.query<{ transaction: string; event: string }>(lastEvent)).rows;
    const [left] = (await scheduler.query(leftToDo, [event?.transaction ?? null, event?.event ?? null])).rows;
    return left;
  };
  return {
    finished: async () => void (await waitUntil(look, { unread: false, waits: false }, giveUpAfterMs)),
    close: async () => {
      await tasks.end();
      await scheduler.end();
    },
  };
}
