import { Client } from 'pg';
import { copyRows } from '#dev/bench';

interface Column {
  table: string;
  name: string;
  /** Of the sequence that numbers it. */
  sequence: string | null;
}

/** The columns and tables to copy: generated columns follow from others, and the target has its own list of migrations. */
const columnsText = `
  select c.table_name as table, c.column_name as name, pg_get_serial_sequence(format('%I', c.table_name), c.column_name) as sequence
  from information_schema.columns c join pg_tables t on t.schemaname = c.table_schema and t.tablename = c.table_name
  where c.table_schema = 'public' and c.is_generated = 'NEVER' and c.table_name <> 'schema_migrations'
  order by c.table_name, c.ordinal_position`;

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

/**
 * Replaces the rows of a database by those of another of the same schema, as `pg_dump --data-only` and `psql` do: one snapshot,
 * COPY, then the sequences. Transaction ids are copied as values.
 */
export async function moveRows(fromUrl: string, toUrl: string): Promise<void> {
  const [from, to] = await Promise.all([connect(fromUrl), connect(toUrl)]);
  try {
    await from.query('begin isolation level repeatable read');
    const { rows } = await from.query<Column>(columnsText);
    const tables = Map.groupBy(rows, ({ table }) => table);
    await to.query(`begin; set local session_replication_role = replica; truncate ${[...tables.keys()].join(', ')}`);
    for (const [table, columns] of tables) {
      const names = columns.map(({ name }) => `"${name}"`);
      const data = await from.query<string[]>({
        text: `select ${names.map((name) => `${name}::text`).join(', ')} from ${table}`,
        rowMode: 'array',
      });
      await copyRows(to, { table, columns: names }, data.rows);
    }
    for (const { sequence } of rows.filter((column) => column.sequence !== null)) {
      const state = await from.query<{ last_value: string; is_called: boolean }>(
        `select last_value, is_called from ${sequence}`,
      );
      await to.query('select setval($1, $2, $3)', [sequence, state.rows[0]?.last_value, state.rows[0]?.is_called]);
    }
    await to.query('commit');
  } finally {
    await Promise.all([from.end(), to.end()]);
  }
}

/** Uses up transaction ids until the server has come further than the other. */
export async function outrun(url: string, otherUrl: string): Promise<void> {
  const [server, other] = await Promise.all([connect(url), connect(otherUrl)]);
  const next = async (client: Client): Promise<number> => {
    const { rows } = await client.query<{ next: string }>('select pg_snapshot_xmax(pg_current_snapshot()) as next');
    return Number(rows[0]?.next);
  };
  const missing = Math.max(0, (await next(other)) + 20_000 - (await next(server)));
  await server.query(`do $$ begin for i in 1..${missing} loop perform pg_current_xact_id(); commit; end loop; end $$`);
  await Promise.all([server.end(), other.end()]);
}
