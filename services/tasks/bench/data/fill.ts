import { Client } from 'pg';
import { TaskEventType } from '#contract/tasks/v1/tasks';
import { copyRows, type Cell } from '#dev/bench';
import type { Columns, ColumnTable, Stored } from '#libs/db';
import { appendStatement } from '#libs/events';
import { counterCount } from '../../src/domain/task-counters.ts';
import { taskTable } from '../../src/domain/task.columns.ts';
import { dueRowOf, taskDueTable } from '../../src/domain/task-due.entity.ts';
import type { Task } from '../../src/domain/task.entity.ts';
import { countersOf, nothing, toEvent } from '../../src/domain/task.events.ts';
import type { People } from './people.ts';
import { createdWithinMs, makeTask } from './task-drafts.ts';

/** Rows of one COPY and one transaction. */
const portion = 5000;

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
 * numbers and counters. The service may write at the same time, and the scheduler may sweep.
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
      await inTransaction(client, () => addTasks(client, tasks, withoutLog));
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

/** The log is written by its own statement, so that whoever else writes to it waits in the same order. */
async function addTasks(client: Client, tasks: readonly Task[], withoutLog: boolean): Promise<void> {
  const dues = tasks
    .flatMap((task) => dueRowOf(task) ?? [])
    .map((due) => ({ ...due, overdueTime: null, setAside: false }));
  await copyTable(client, taskTable, tasks);
  await copyTable(client, taskDueTable, dues);
  const writes = tasks.map((task) => {
    const now = task.createTime;
    return { type: TaskEventType.CREATED, task, before: nothing, actorId: task.ownerId, now };
  });
  const events = withoutLog ? [] : writes.map(toEvent);
  await client.query(appendStatement({ events, counters: writes.flatMap(countersOf), counterCount }));
}
