import {
  runStatement,
  type Columns,
  type ColumnTable,
  type EntityManager,
  type Statement,
  type Stored,
} from '#libs/db';

/** Inserts the rows in one statement. `ending` follows it, for example `on conflict (id) do nothing returning id`. */
export async function insertRows<C extends Columns, Row = unknown>(
  em: EntityManager,
  table: ColumnTable<C>,
  rows: readonly Stored<C>[],
  ending = '',
): Promise<Row[]> {
  if (rows.length === 0) return [];
  const parameters: unknown[] = [];
  const text = table.insert(rows, (value, type) => `$${parameters.push(value)}::${type}`);
  return runStatement<Row>(em, `${text} ${ending}`, parameters);
}

const clock: Statement = { name: 'now', text: 'select now()::timestamptz(3) as now' };

/** When the transaction began, by the database's clock. */
export async function transactionTime(em: EntityManager): Promise<Date> {
  const [row] = await runStatement<{ now: Date }>(em, clock, []);
  if (row === undefined) throw new Error('a select without a table has one row');
  return row.now;
}
