import type { SqlReader } from '#libs/db';

const oldestDue = {
  name: 'overdue_lag',
  text: `
    select coalesce(extract(epoch from now() - min(due_time)), 0)::float8 as seconds
    from task_due where overdue_time is null and due_time <= now()`,
};

/** How long the oldest due task has been waiting for the sweep, in seconds. */
export async function readOverdueLag(reader: SqlReader): Promise<number> {
  const [row] = await reader.query<{ seconds: number }>(oldestDue, []);
  return row?.seconds ?? 0;
}
