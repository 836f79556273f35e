// Ceiling Q: a bare grpc-js handler with pg's prepared statements, the same statements that the service runs.
import { createHash } from 'node:crypto';
import { Pool, types, type PoolClient, type QueryResultRow } from 'pg';
import {
  CreateTaskRequest,
  CreateTaskResponse,
  NameResolution,
  TaskEventType,
  TaskStatus,
  TasksServiceService,
  taskPriorityToNumber,
  taskStatusToNumber,
  type GetTaskRequest,
  type GetTaskResponse,
  type ListTasksRequest,
  type ListTasksResponse,
} from '#contract/tasks/v1/tasks';
import { runServerProcess, startBareServer } from '#libs/bench';
import { uuidv7 } from '#libs/db';
import { appendStatement } from '#libs/events';
import { toTask, type TaskRow } from '../../src/db/task-row.ts';
import { counterCount } from '../../src/domain/task-counters.ts';
import { Task } from '../../src/domain/task.entity.ts';
import { nothing, toChange } from '../../src/domain/task.events.ts';
import { toTaskMessage } from '../../src/domain/task.messages.ts';
import { claimRequest, findTask, insertDue, insertTask, listNewest, storeResponse } from './statements.ts';

export interface PreparedSettings {
  databaseUrl: string;
  poolSize: number;
}

const int8Types = { getTypeParser: ((oid: number, format?: 'text') => (oid === types.builtins.INT8 ? BigInt : types.getTypeParser(oid, format))) as typeof types.getTypeParser };

type Statement = { name: string; text: string };

async function read<Row extends QueryResultRow>(pool: Pool | PoolClient, statement: Statement, values: unknown[]): Promise<Row[]> {
  return (await pool.query<Row>({ ...statement, values, types: int8Types })).rows;
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

/** As the API would read it: what was left out of the request has its default. */
function draftOf({ task }: CreateTaskRequest): Parameters<typeof Task.create>[0] {
  if (task === undefined) throw new Error('no task');
  const { title, description, priority, dueTime, labels } = task;
  return { title, description, status: TaskStatus.PENDING, priority, dueTime: dueTime ?? null, dueDate: null, dueZone: null, assigneeId: null, labels, externalId: null };
}

function taskValues(task: Task): unknown[] {
  return [
    task.id, task.ownerId, task.assigneeId, task.title, task.description, taskStatusToNumber(task.status), taskPriorityToNumber(task.priority),
    task.dueTime, task.dueDate, task.dueZone, String(task.dueVersion), null, task.labels, task.externalId, String(task.version),
    task.createTime, task.updateTime, task.completeTime, task.deleteTime, task.purgeTime,
  ];
}

async function createTask(pool: Pool, request: CreateTaskRequest, userId: string): Promise<CreateTaskResponse> {
  const now = new Date();
  const task = Task.create(draftOf(request), { id: uuidv7(), ownerId: userId, now });
  const key = [userId, 'CreateTask', request.requestId];
  const response = { task: toTaskMessage(task, now), nameResolution: NameResolution.COMPLETE };
  const { event, counters } = toChange(TaskEventType.CREATED, task, { before: nothing, actorId: userId, now });
  const append = appendStatement({ events: [event], counters, counterCount });
  const fingerprint = createHash('sha256').update(CreateTaskRequest.encode(request).finish()).digest();
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query({ ...claimRequest, values: [...key, fingerprint] });
    await client.query({ ...insertTask, values: taskValues(task) });
    if (task.dueTime !== null) await client.query({ ...insertDue, values: [task.id, task.ownerId, null, task.dueTime, '1', null] });
    await client.query(append);
    await client.query({ ...storeResponse, values: [...key, Buffer.from(CreateTaskResponse.encode(response).finish())] });
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
  });
});
