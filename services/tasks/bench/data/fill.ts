import { Client } from 'pg';
import { TaskEventType } from '#contract/tasks/v1/tasks';
import { copyRows, type Cell } from '#libs/bench';
import { taskPriorityToNumber, taskStatusToNumber } from '#contract/tasks/v1/tasks';
import { counterCount } from '../../src/domain/task-counters.ts';
import type { Task } from '../../src/domain/task.entity.ts';
import { nothing, toChange } from '../../src/domain/task.events.ts';
import type { People } from './people.ts';
import { createdWithinMs, makeTask } from './task-drafts.ts';

/** Rows of one COPY and one transaction. */
const portion = 5000;

const taskColumns = [
  'id', 'owner_id', 'assignee_id', 'title', 'description', 'status', 'priority', 'due_time', 'due_date', 'due_zone', 'due_version', 'overdue_version',
  'labels', 'external_id', 'version', 'create_time', 'update_time', 'complete_time', 'delete_time', 'purge_time',
];
const dueColumns = ['task_id', 'owner_id', 'assignee_id', 'due_time', 'due_version', 'overdue_time'];
const eventColumns = ['id', 'stream_id', 'sequence', 'transaction_id', 'type', 'subject_id', 'subject_version', 'actor', 'call_id', 'trace_parent', 'payload', 'create_time'];
const audienceColumns = ['user_id', 'transaction_id', 'event_id'];

function taskCells(task: Task): Cell[] {
  return [
    task.id, task.ownerId, task.assigneeId, task.title, task.description, taskStatusToNumber(task.status), taskPriorityToNumber(task.priority),
    task.dueTime, task.dueDate, task.dueZone, task.dueVersion, task.overdueVersion, task.labels, task.externalId, task.version,
    task.createTime, task.updateTime, task.completeTime, task.deleteTime, task.purgeTime,
  ];
}

/** A stream's head: what it has, and what its database row lacks yet. */
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
  /** Tasks of these numbers, from the first to before the second. */
  readonly from: number;
  readonly to: number;
  /** Changes a task before it is written. */
  readonly adapt?: (task: Task, index: number) => void;
  /** Leaves the tasks' creation out of the log, so that nobody who reads it has to get past that. */
  readonly withoutLog?: boolean;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Adds tasks as if they had been created through the API: with their due rows, one event each and its audience, and the
 * owners' sequence numbers and counters. May be called again for more, also after the service has written.
 */
export async function fillTasks(databaseUrl: string, people: People, { from, to, adapt, withoutLog = false, report, signal }: FillOrder): Promise<void> {
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
        // Spread over the same time whatever the number of tasks, and stored in that order, as in real life.
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

/** From so many on, indexes are built faster than they are kept. */
const manyTasks = 50_000;

/** Drops the indexes that no constraint stands on; the answer makes them again, as they were. */
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
  const heads = await client.query<{ stream_id: string; last_sequence: string }>('select stream_id, last_sequence from event_stream_heads');
  const last = await client.query<{ id: string | null }>('select max(id) as id from events');
  return { heads: new Map(heads.rows.map((row) => [row.stream_id, newHead(BigInt(row.last_sequence))])), eventId: BigInt(last.rows[0]?.id ?? 0) };
}

const newHead = (sequence: bigint): Head => ({ sequence, added: 0n, counters: new Array<number>(counterCount).fill(0) });

async function inTransaction(client: Client, work: () => Promise<void>): Promise<void> {
  await client.query('begin');
  await work();
  await client.query('commit');
}

async function copyTasks(fill: Fill, tasks: Task[]): Promise<void> {
  const { client } = fill;
  const transaction = await client.query<{ id: string }>('select pg_current_xact_id()::text as id');
  const transactionId = transaction.rows[0]?.id ?? '';
  const events: Cell[][] = [];
  const audience: Cell[][] = [];
  for (const task of tasks) recordCreation(fill, task, { transactionId, events, audience });
  await copyRows(client, { table: 'tasks', columns: taskColumns }, tasks.map(taskCells));
  const due = tasks.filter((task) => task.isWaitingForDueTime());
  await copyRows(client, { table: 'task_due', columns: dueColumns }, due.map((task) => [task.id, task.ownerId, task.assigneeId, task.dueTime, task.dueVersion, null]));
  await copyRows(client, { table: 'events', columns: eventColumns }, events);
  await copyRows(client, { table: 'event_audience', columns: audienceColumns }, audience);
  if (!fill.withoutLog) await client.query(`select setval(pg_get_serial_sequence('events', 'id'), $1)`, [String(fill.eventId)]);
  await writeHeads(fill);
}

function recordCreation(fill: Fill, task: Task, { transactionId, events, audience }: { transactionId: string; events: Cell[][]; audience: Cell[][] }): void {
  const { event, counters } = toChange(TaskEventType.CREATED, task, { before: nothing, actorId: task.ownerId, now: task.createTime });
  const headOf = (id: string): Head => {
    const head = fill.heads.get(id) ?? newHead(0n);
    fill.heads.set(id, head);
    return head;
  };
  for (const { streamId, index, by } of counters) {
    const head = headOf(streamId);
    head.counters[index] = (head.counters[index] ?? 0) + by;
  }
  if (fill.withoutLog) return;
  const head = headOf(event.streamId);
  head.sequence += 1n;
  head.added += 1n;
  fill.eventId += 1n;
  const { streamId, type, subjectId, subjectVersion, actor, payload } = event;
  events.push([fill.eventId, streamId, head.sequence, transactionId, type, subjectId, subjectVersion, actor, `fill-${fill.eventId}`, '', payload, task.createTime]);
  audience.push(...event.audience.map((userId) => [userId, transactionId, fill.eventId]));
}

async function writeHeads({ client, heads }: Fill): Promise<void> {
  const changed = [...heads].filter(([, head]) => head.added > 0n || head.counters.some((count) => count !== 0));
  await client.query(
    `insert into event_stream_heads as old (stream_id, last_sequence, counters)
     select stream_id, added, counters::bigint[] from unnest($1::uuid[], $2::bigint[], $3::text[]) as t (stream_id, added, counters)
     on conflict (stream_id) do update set
       last_sequence = old.last_sequence + excluded.last_sequence,
       counters = (select array_agg(coalesce(was, 0) + by order by place) from unnest(old.counters, excluded.counters) with ordinality as t (was, by, place))`,
    [changed.map(([id]) => id), changed.map(([, head]) => String(head.added)), changed.map(([, head]) => `{${head.counters.join(',')}}`)],
  );
  for (const [, head] of changed) {
    head.added = 0n;
    head.counters.fill(0);
  }
}
