import { randomUUID } from 'node:crypto';
import {
  BatchCreateTasksRequest,
  CreateTaskRequest,
  GetTaskRequest,
  GetTaskStatsRequest,
  ListTasksRequest,
  Task,
  TaskPriority,
  UpdateTaskRequest,
  taskStatusFromJSON,
  taskStatusToNumber,
  type TaskStatus,
} from '#contract/tasks/v1/tasks';
import type { LoadRequest } from '#dev/bench';
import { queryOnce } from '#dev/testing';
import { statuses } from '../../src/domain/task-enums.ts';
import { heavyCount, type Caller } from '../data/people.ts';
import { requestsFor, type BenchCluster } from '../bench-cluster.ts';

/** More writes than a round can use up. */
export const writesPerRound = 8000;
const tasksOfEach = 100;

interface OwnTask {
  readonly caller: Caller;
  readonly taskId: string;
  readonly status: TaskStatus;
}

/** Some tasks in these statuses that these callers own, in mixed order. */
export async function findOwnTasks(
  bench: BenchCluster,
  callers: readonly Caller[],
  among: readonly TaskStatus[] = statuses,
): Promise<OwnTask[]> {
  const text = `
    select id, owner_id, status from (
      select id, owner_id, status, row_number() over (partition by owner_id order by hashtext(id::text)) as place
      from tasks where owner_id = any ($1::uuid[]) and status = any ($3) and delete_time is null) t
    where place <= $2 order by hashtext(id::text)`;
  const rows = await queryOnce<{ id: string; owner_id: string; status: number }>(
    bench.cluster.databaseUrl('tasks'),
    text,
    [callers.map(({ id }) => id), tasksOfEach, among.map(taskStatusToNumber)],
  );
  const byId = new Map(callers.map((caller) => [caller.id, caller]));
  return rows.map((row) => ({
    caller: byId.get(row.owner_id) as Caller,
    taskId: row.id,
    status: taskStatusFromJSON(row.status),
  }));
}

export async function getRequests(bench: BenchCluster): Promise<LoadRequest[]> {
  const own = await findOwnTasks(bench, bench.people.callers);
  return own.map(({ caller, taskId }) => ({
    message: GetTaskRequest.encode({ taskId }).finish(),
    headers: caller.headers,
  }));
}

/** Callers that own 4 % of all tasks each, so that their lists grow with the data. */
export const heavyCallers = ({ people }: BenchCluster): readonly Caller[] => people.callers.slice(0, heavyCount);

export function listRequests(
  bench: BenchCluster,
  fields: (caller: Caller) => Partial<ListTasksRequest> = () => ({}),
): LoadRequest[] {
  return heavyCallers(bench).map((caller) => ({
    message: ListTasksRequest.encode(ListTasksRequest.fromPartial({ pageSize: 20, ...fields(caller) })).finish(),
    headers: caller.headers,
  }));
}

export function statsRequests(bench: BenchCluster): LoadRequest[] {
  return heavyCallers(bench).map(({ headers }) => ({
    message: GetTaskStatsRequest.encode(GetTaskStatsRequest.fromPartial({})).finish(),
    headers,
  }));
}

const priorities = [TaskPriority.LOW, TaskPriority.MEDIUM, TaskPriority.HIGH, TaskPriority.URGENT];
let made = 0;

/** A typical new task: half of them have a due time. */
export function newTask(): Task {
  const index = (made += 1);
  return Task.fromPartial({
    title: `call the garden centre about order ${index}`,
    description:
      index % 2 === 0 ? 'They open at nine and close at noon; ask for the invoice of the last delivery as well.' : '',
    priority: priorities[index % priorities.length] ?? TaskPriority.LOW,
    labels: index % 3 === 0 ? ['garden', 'phone'] : [],
    due: index % 2 === 0 ? { $case: 'dueTime', value: new Date(Date.now() + 86_400_000) } : undefined,
  });
}

/** New requests, each with its own request id. */
export function createRequests({ writers }: BenchCluster, count = writesPerRound): LoadRequest[] {
  return requestsFor(writers(), count, () =>
    CreateTaskRequest.encode(CreateTaskRequest.fromPartial({ task: newTask(), requestId: randomUUID() })).finish(),
  );
}

export function batchRequests({ writers }: BenchCluster, batchSize: number, count: number): LoadRequest[] {
  const make = (): Uint8Array =>
    BatchCreateTasksRequest.encode({
      requests: Array.from({ length: batchSize }, () => CreateTaskRequest.fromPartial({ task: newTask() })),
      allowPartial: false,
      validateOnly: false,
      requestId: randomUUID(),
    }).finish();
  return requestsFor(writers(), count, make);
}

/** Each request changes title and priority of a task of the writer. */
export async function updateRequests(bench: BenchCluster): Promise<() => LoadRequest[]> {
  const own = await findOwnTasks(bench, bench.writers());
  return () =>
    Array.from({ length: writesPerRound }, (_, index) => {
      const { caller, taskId } = own[index % own.length] as (typeof own)[number];
      const { title, priority } = newTask();
      const request = UpdateTaskRequest.fromPartial({
        task: { id: taskId, title, priority },
        updateMask: ['title', 'priority'],
        requestId: randomUUID(),
      });
      return { message: UpdateTaskRequest.encode(request).finish(), headers: caller.headers };
    });
}

export const only = (requests: readonly LoadRequest[]): LoadRequest => requests[0] as LoadRequest;
