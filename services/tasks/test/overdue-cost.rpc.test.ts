import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { claimOverdue, windowBatches } from '../src/db/overdue-sweep.ts';
import { useTasks } from './start-tasks.ts';

const owners = 100;
const due = 12_000;
const batchSize = 500;

let other: Client;
// Hooks run in this order: the service drops its database afterwards.
afterAll(() => other?.end());
const service = useTasks();
beforeAll(async () => {
  other = new Client({ connectionString: service.databaseUrl });
  await other.connect();
});

/** Due tasks, and as many that are not due yet, of owners that SQL tells by n. */
async function fill(owner: string): Promise<void> {
  await service.sql('truncate tasks, task_due, events, event_stream_heads, event_audience');
  await service.sql(`
    with task as (
      insert into tasks (id, owner_id, title, description, status, priority, due_time, due_version, labels, version, create_time, update_time)
      select gen_random_uuid(), md5('owner ' || ${owner})::uuid, 'task ' || n, '', 1, 2,
        case when n <= ${due} then now() - interval '1 day' + n * interval '1 second' else now() + interval '1 day' end, 1, '{}', 1, now(), now()
      from generate_series(1, ${2 * due}) n
      returning id, owner_id, due_time)
    insert into task_due (task_id, owner_id, due_time, due_version) select id, owner_id, due_time, 1 from task`);
  await service.sql('vacuum (analyze) tasks, task_due');
}

interface Plan {
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
}

/** How many pages the next batch looks at; nothing is marked. */
async function countPages(from: Date | undefined): Promise<number> {
  const values = [batchSize, batchSize * windowBatches, `'${from?.toISOString() ?? '-infinity'}'`];
  const text = claimOverdue.replaceAll(/\$([123])/g, (_, place: string) => String(values[Number(place) - 1]));
  await service.sql('begin');
  const [row] = await service.sql<{ 'QUERY PLAN': { Plan: Plan }[] }>(
    `explain (analyze, buffers, format json) ${text}`,
  );
  await service.sql('rollback');
  const plan = row?.['QUERY PLAN'][0]?.Plan;
  if (plan === undefined) throw new Error('explain gave no plan');
  return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
}

/** Sweeps everything, and tells how many pages batches looked at on the way, from the second on. */
async function sweepCounting(): Promise<number[]> {
  const pages: number[] = [];
  let from: Date | undefined;
  for (let marked = 0; marked < due;) {
    if (marked > 0) pages.push(await countPages(from));
    const batch = await service.sweep({ batchSize, dueStartTime: from });
    if (batch.markedCount === 0) throw new Error(`${marked} of ${due} were found`);
    marked += batch.markedCount;
    from = batch.nextDueTime;
  }
  return pages;
}

const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function expectFlat(pages: number[]): void {
  expect(pages.length).toBeGreaterThan(20);
  expect(Math.max(...pages)).toBeLessThan(1.3 * middle(pages.slice(0, 6)));
}

it('a batch looks at no more pages at the end of a long sweep than at its beginning, when half of all belong to one owner', async () => {
  await fill(`case when n % 2 = 0 then 0 else n % ${owners} end`);
  expectFlat(await sweepCounting());
});

it('nor does it while a transaction, as of a backup, still sees all that was marked', async () => {
  await fill(`n % ${owners}`);
  await other.query('begin isolation level repeatable read');
  await other.query('select count(*) from task_due');
  expectFlat(await sweepCounting());
  await other.query('commit');
});
