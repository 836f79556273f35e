// Ceiling Q: a bare grpc-js handler with pg's prepared statements, the same statements that the service runs.
import { createHash } from 'node:crypto';
import { Pool, type PoolClient, type QueryConfig, type QueryResultRow } from 'pg';
import {
  CreateTaskRequest,
  CreateTaskResponse,
  NameResolution,
  TaskEventType,
  TasksServiceService,
  UpdateTaskRequest,
  UpdateTaskResponse,
  type GetTaskRequest,
  type GetTaskResponse,
  type ListTasksRequest,
  type ListTasksResponse,
} from '#contract/tasks/v1/tasks';
import { runServerProcess, startBareServer } from '#dev/bench';
import { rowTypes, uuidv7 } from '#libs/db';
import { appendStatement } from '#libs/events';
import { lockTasks, toLockedTask, type LockedRow } from '../../src/db/task-locks.ts';
import { toTask, type TaskRow } from '../../src/db/task-row.ts';
import { tablesOf } from '../../src/db/task-writer.ts';
import { counterCount } from '../../src/domain/task-counters.ts';
import { initialDraft } from '../../src/domain/task.columns.ts';
import { Task } from '../../src/domain/task.entity.ts';
import { countersOf, nothing, snapshotOf, toEvent, type TaskWrite } from '../../src/domain/task.events.ts';
import { toTaskMessage } from '../../src/domain/task.messages.ts';
import { findTask, listNewest, recordRequest } from './statements.ts';

export interface PreparedSettings {
  databaseUrl: string;
  poolSize: number;
}

type Statement = { name: string; text: string };

async function read<Row extends QueryResultRow>(
  pool: Pool | PoolClient,
  statement: Statement,
  values: unknown[],
): Promise<Row[]> {
  return (await pool.query<Row>({ ...statement, values, types: rowTypes })).rows;
}

async function getTask(pool: Pool, { taskId }: GetTaskRequest): Promise<GetTaskResponse> {
  const [row] = await read<TaskRow>(pool, findTask, [taskId]);
  if (row === undefined) throw new Error('no such task');
  return { task: toTask(row), nameResolution: NameResolution.COMPLETE };
}

async function listTasks(pool: Pool, { pageSize }: ListTasksRequest, userId: string): Promise<ListTasksResponse> {
  const rows = await read<TaskRow>(pool, listNewest, [userId, pageSize + 1]);
  return { tasks: rows.slice(0, pageSize).map(toTask), nextPageToken: '', nameResolution: NameResolution.COMPLETE };
}

/** As the API reads it: fields that were left out have their defaults. */
function draftOf({ task }: CreateTaskRequest): Parameters<typeof Task.create>[0] {
  if (task === undefined) throw new Error('no task');
  const { title, description, priority, due, labels } = task;
  return {
    ...initialDraft,
    title,
    description,
    priority,
    dueTime: due?.$case === 'dueTime' ? due.value : null,
    labels,
  };
}

/** The one statement that writes a task, its event, the head and the recorded request. */
function writeStatement(
  write: TaskWrite,
  request: { key: readonly [string, string, string]; body: Uint8Array; response: Uint8Array },
): QueryConfig {
  const fingerprint = createHash('sha256').update(request.body).digest();
  const ctes = [...tablesOf([write]), recordRequest(request.key, fingerprint, request.response)];
  return appendStatement({ events: [toEvent(write)], counters: countersOf(write), counterCount, ctes });
}

async function createTask(pool: Pool, request: CreateTaskRequest, userId: string): Promise<CreateTaskResponse> {
  const now = new Date();
  const task = Task.create(draftOf(request), { id: uuidv7(), ownerId: userId, now });
  const write = { type: TaskEventType.CREATED, task, before: nothing, actorId: userId, now };
  const response = { task: toTaskMessage(task, now), nameResolution: NameResolution.COMPLETE };
  const recorded = {
    key: [userId, 'CreateTask', request.requestId],
    body: CreateTaskRequest.encode(request).finish(),
    response: CreateTaskResponse.encode(response).finish(),
  } as const;
  await pool.query(writeStatement(write, recorded));
  return response;
}

/** Changes title and priority. The row is locked between reading and writing, as in the service. */
async function updateTask(pool: Pool, request: UpdateTaskRequest, userId: string): Promise<UpdateTaskResponse> {
  const now = new Date();
  const client = await pool.connect();
  try {
    await client.query('begin');
    const [row] = await read<LockedRow>(client, lockTasks, [[request.task?.id], false, [userId], [null]]);
    if (row === undefined || request.task === undefined) throw new Error('no such task');
    const { task } = toLockedTask(row);
    const before = snapshotOf(task, now);
    task.edit({ title: request.task.title, priority: request.task.priority }, now);
    const write = { type: TaskEventType.UPDATED, task, before, actorId: userId, now };
    const response = { task: toTaskMessage(task, now), nameResolution: NameResolution.COMPLETE };
    const recorded = {
      key: [userId, 'UpdateTask', request.requestId],
      body: UpdateTaskRequest.encode(request).finish(),
      response: UpdateTaskResponse.encode(response).finish(),
    } as const;
    await client.query(writeStatement(write, recorded));
    await client.query('commit');
    return response;
  } finally {
    client.release();
  }
}

runServerProcess(async ({ databaseUrl, poolSize }: PreparedSettings) => {
  const pool = new Pool({ connectionString: databaseUrl, max: poolSize });
  return startBareServer(TasksServiceService, {
    getTask: (request) => getTask(pool, request),
    listTasks: (request, header) => listTasks(pool, request, header('x-bench-user')),
    createTask: (request, header) => createTask(pool, request, header('x-bench-user')),
    updateTask: (request, header) => updateTask(pool, request, header('x-bench-user')),
  });
});
