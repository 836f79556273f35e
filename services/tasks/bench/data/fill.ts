import { Client } from 'pg';
import { TaskEventType } from '#contract/tasks/v1/tasks';
import { copyRows, type Cell } from '#dev/bench';
import type { Columns, ColumnTable, Stored } from '#libs/db';
import { counterCount } from '../../src/domain/task-counters.ts';
import { taskTable } from '../../src/domain/task.columns.ts';
import { dueRowOf, taskDueTable } from '../../src/domain/task-due.entity.ts';
import type { Task } from '../../src/domain/task.entity.ts';
import { countersOf, nothing, toEvent } from '../../src/domain/task.events.ts';
import type { People } from './people.ts';
import { createdWithinMs, makeTask } from './task-drafts.ts';

/** Rows of one COPY and one transaction. */
const portion = 5000;

/** Cells by column. */
type Row = Record<string, Cell>;

/** The head of a stream, with changes that its row does not have yet. */
interface Head {
  sequence: bigint;
  added: bigint;
  counters: number[];
}

interface Fill {
  client: Client;
  withoutLog: boolean;
  heads: Map<string, Head>;
  eventId: bigint;
}

export interface FillOrder {
  /** The numbers of the tasks; `to` is excluded. */
  readonly from: number;
  readonly to: number;
  /** Changes a task before it is written. */
  readonly adapt?: (task: Task, index: number) => void;
  /** Writes no events, so that consumers need not read past them. */
  readonly withoutLog?: boolean;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Adds tasks as if they had been created through the API: with due rows, an event each and its audience, and the owners' sequence
 * numbers and counters. May be called again, even after the service has written.
 */
export async function fillTasks(
  databaseUrl: string,
  people: People,
  { from, to, adapt, withoutLog = false, report, signal }: FillOrder,
): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const rebuild = to - from >= manyTasks ? await dropIndexes(client) : async () => undefined;
    const fill: Fill = { client, withoutLog, ...(await readState(client)) };
    const now = new Date();
    const began = performance.now();
    for (let start = from; start < to; start += portion) {
      signal.throwIfAborted();
      const indexes = Array.from({ length: Math.min(portion, to - start) }, (_, offset) => start + offset);
      const tasks = indexes.map((index) => {
        // Spread over the same time for any number of tasks, and stored in that order.
        const createTime = new Date(now.getTime() - createdWithinMs * (1 - (index - from) / (to - from)));
        const task = makeTask(index, people, { now, createTime, id: idAt(createTime, index) });
        adapt?.(task, index);
        return task;
      });
      await inTransaction(client, () => copyTasks(fill, tasks));
      if ((start / portion) % 20 === 19) report(`${start + portion - from} of ${to - from} tasks are in`);
    }
    await rebuild();
    await client.query('vacuum (analyze)');
    report(`${to - from} tasks with their events in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  } finally {
    await client.end();
  }
}

/** From this number of tasks on, rebuilding indexes is faster than updating them. */
const manyTasks = 50_000;

/** Drops indexes that belong to no constraint. Returns a function that builds them again. */
async function dropIndexes(client: Client): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ name: string; definition: string }>(`
    select c.relname as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid in ('tasks'::regclass, 'task_due'::regclass, 'events'::regclass, 'event_audience'::regclass)
      and not exists (select from pg_constraint where conindid = i.indexrelid)`);
  for (const { name } of rows) await client.query(`drop index ${name}`);
  return async () => {
    await client.query(`set maintenance_work_mem = '512MB'`);
    for (const { definition } of rows) await client.query(definition);
  };
}

/** A version 7 UUID of that time. */
function idAt(time: Date, index: number): string {
  const stamp = time.getTime().toString(16).padStart(12, '0');
  const tail = index.toString(16).padStart(12, '0');
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7be0-8${tail.slice(0, 3)}-${tail.slice(3)}000`;
}

async function readState(client: Client): Promise<{ heads: Map<string, Head>; eventId: bigint }> {
  const heads = await client.query<{ stream_id: string; last_sequence: string }>(
    'select stream_id, last_sequence from event_stream_heads',
  );
  const last = await client.query<{ id: string | null }>('select max(id) as id from events');
  return {
    heads: new Map(heads.rows.map((row) => [row.stream_id, newHead(BigInt(row.last_sequence))])),
    eventId: BigInt(last.rows[0]?.id ?? 0),
  };
}

const newHead = (sequence: bigint): Head => ({
  sequence,
  added: 0n,
  counters: new Array<number>(counterCount).fill(0),
});

async function inTransaction(client: Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin');
  await work();
  await client.query('commit');
}

async function copyTable<C extends Columns>(
  client: Client,
  { table, names, cells }: ColumnTable<C>,
  rows: readonly Stored<C>[],
): Promise<void> {
  await copyRows(
    client,
    { table, columns: names },
    rows.map((row) => cells(row) as Cell[]),
  );
}

/** The names of the first row's members are the columns. */
async function copyObjects(client: Client, table: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  await copyRows(client, { table, columns }, rows.map(Object.values<Cell>));
}

async function copyTasks(fill: Fill, tasks: Task[]): Promise<void> {
  const { client } = fill;
  const transaction = await client.query<{ id: string }>('select pg_current_xact_id()::text as id');
  const transactionId = transaction.rows[0]?.id ?? '';
  const events: Row[] = [];
  const audience: Row[] = [];
  for (const task of tasks) recordCreation(fill, task, { transactionId, events, audience });
  const dues = tasks.flatMap((task) => dueRowOf(task) ?? []).map((due) => ({ ...due, overdueTime: null }));
  await copyTable(client, taskTable, tasks);
  await copyTable(client, taskDueTable, dues);
  await copyObjects(client, 'events', events);
  await copyObjects(client, 'event_audience', audience);
  if (!fill.withoutLog)
    await client.query(`select setval(pg_get_serial_sequence('events', 'id'), $1)`, [String(fill.eventId)]);
  await writeHeads(fill);
}

function recordCreation(
  fill: Fill,
  task: Task,
  { transactionId, events, audience }: { transactionId: string; events: Row[]; audience: Row[] },
): void {
  const now = task.createTime;
  const write = { type: TaskEventType.CREATED, task, before: nothing, actorId: task.ownerId, now };
  const headOf = (id: string): Head => {
    const head = fill.heads.get(id) ?? newHead(0n);
    fill.heads.set(id, head);
    return head;
  };
  for (const { streamId, index, by } of countersOf(write)) {
    const head = headOf(streamId);
    head.counters[index] = (head.counters[index] ?? 0) + by;
  }
  if (fill.withoutLog) return;
  const event = toEvent(write);
  const head = headOf(event.streamId);
  head.sequence += 1n;
  head.added += 1n;
  fill.eventId += 1n;
  events.push({
    id: fill.eventId,
    stream_id: event.streamId,
    sequence: head.sequence,
    transaction_id: transactionId,
    type: event.type,
    subject_id: event.subjectId,
    subject_version: event.subjectVersion,
    actor: event.actor,
    call_id: `fill-${fill.eventId}`,
    trace_parent: '',
    payload: event.payload,
    create_time: task.createTime,
  });
  audience.push(
    ...event.audience.map((userId) => ({ user_id: userId, transaction_id: transactionId, event_id: fill.eventId })),
  );
}

async function writeHeads({ client, heads }: Fill): Promise<void> {
  const changed = [...heads].filter(([, head]) => head.added > 0n || head.counters.some((count) => count !== 0));
  await client.query(
    `insert into event_stream_heads as old (stream_id, last_sequence, counters)
     select stream_id, added, counters::bigint[] from unnest($1::uuid[], $2::bigint[], $3::text[]) as t (stream_id, added, counters)
     on conflict (stream_id) do update set
       last_sequence = old.last_sequence + excluded.last_sequence,
       counters = (select array_agg(coalesce(was, 0) + by order by place) from unnest(old.counters, excluded.counters) with ordinality as t (was, by, place))`,
    [
      changed.map(([id]) => id),
      changed.map(([, head]) => String(head.added)),
      changed.map(([, head]) => `{${head.counters.join(',')}}`),
    ],
  );
  for (const [, head] of changed) {
    head.added = 0n;
    head.counters.fill(0);
  }
}
