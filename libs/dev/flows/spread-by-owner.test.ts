import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, type DatabaseError } from 'pg';
import { migrate, type DatabaseDefinition } from '#libs/db';
import { createDatabase, testPostgresUrl, type TestDatabase } from '#dev/cluster';
import { createLogger } from '#libs/runtime';

/*
 * What deploy/scaling.md says of spreading a service's tables over partitions or servers by the person they belong to. PostgreSQL
 * itself is asked, by making a partitioned table like the real one: it refuses when a key does not contain the person.
 */

/** The column that says whose row it is; undefined: nobody's, one small table wherever it is. */
type Columns = Readonly<Record<string, string | undefined>>;

const columns: Readonly<Record<string, Columns>> = {
  tasks: {
    tasks: 'owner_id',
    task_due: 'owner_id',
    events: 'stream_id',
    event_stream_heads: 'stream_id',
    event_audience: 'user_id',
    comments: 'task_id',
    task_watchers: 'task_id',
    project_watchers: 'project_id',
    overdue_moves: 'person_id',
    projects: 'id',
    project_members: 'project_id',
    project_departures: 'project_id',
    project_invitations: 'project_id',
    idempotency_records: 'user_id',
    outbox: undefined,
    event_horizon: undefined,
    log_incarnations: undefined,
  },
  scheduler: {
    notifications: 'recipient_id',
    deliveries: 'notification_id',
    mails: 'recipient_id',
    webhooks: 'owner_id',
    webhook_deliveries: 'webhook_id',
    webhook_attempts: 'delivery_id',
    idempotency_records: 'user_id',
    removed_users: 'id',
    schedules: undefined,
    schedule_runs: undefined,
    queue_holds: undefined,
    dead_letters: undefined,
    admin_actions: undefined,
    event_cursors: undefined,
    parked_events: undefined,
    log_incarnations: undefined,
  },
};

/** Keys that must include the person before the table can be sharded. Each is unique over all persons. */
const widened: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  tasks: {
    tasks: 'tasks_number (project_id, number); tasks_pkey (id)',
    comments: 'comments_pkey (id)',
    task_due: 'task_due_pkey (task_id)',
    events: 'events_pkey (id)',
    overdue_moves: 'overdue_moves_pkey (id)',
    project_invitations: 'project_invitations_pkey (id)',
  },
  scheduler: {
    notifications: 'notifications_pkey (id)',
    mails: 'mails_notification (notification_id); mails_pkey (id)',
    webhooks: 'webhooks_pkey (id)',
    webhook_deliveries: 'webhook_deliveries_pkey (id)',
  },
};

describe.each(Object.entries(columns))('the tables of %s', (service, spread) => {
  let server: TestDatabase;
  let client: Client;
  beforeAll(async () => {
    server = await createDatabase(testPostgresUrl());
    const { databaseDefinition } = (await import(
      new URL(`../../../services/${service}/src/db/database.ts`, import.meta.url).href
    )) as { databaseDefinition: (url: string) => DatabaseDefinition };
    await migrate({ ...databaseDefinition(server.url), logger: createLogger({ service: 'test', level: 'silent' }) });
    client = new Client({ connectionString: server.url });
    await client.connect();
  });
  afterAll(async () => {
    await client?.end();
    await server?.drop();
  });

  const list = async (text: string): Promise<string[]> =>
    (await client.query<{ name: string }>(text)).rows.map(({ name }) => name);

  const tryToSpread = (table: string, column: string): Promise<string> =>
    client.query(`create table ${table}_spread (like ${table} including all) partition by hash (${column})`).then(
      () => 'spread as it is',
      (error: DatabaseError) => error.message,
    );

  const keysWithout = async (table: string, column: string): Promise<string> =>
    (
      await list(`
      select i.indexrelid::regclass || ' (' || string_agg(a.attname, ', ' order by a.attnum) || ')' as name
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where i.indrelid = '${table}'::regclass and i.indisunique group by i.indexrelid having not bool_or(a.attname = '${column}') order by 1`)
    ).join('; ');

  it('are all known here', async () => {
    expect(
      await list(
        `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations' order by 1`,
      ),
    ).toEqual(Object.keys(spread).toSorted());
  });

  it('refer to each other by no foreign key, so that no row needs another one beside it', async () => {
    expect(await list(`select conname as name from pg_constraint where contype = 'f'`)).toEqual([]);
  });

  it.each(
    Object.entries(spread).flatMap(([table, column]) => (column === undefined ? [] : [[table, column] as const])),
  )('%s can be spread by %s, keys aside that are unique anyway', async (table, column) => {
    const toWiden = widened[service]?.[table];
    expect(await keysWithout(table, column)).toBe(toWiden ?? '');
    expect(await tryToSpread(table, column)).toMatch(
      toWiden === undefined ? 'spread as it is' : /must include all partitioning columns/,
    );
  });
});
