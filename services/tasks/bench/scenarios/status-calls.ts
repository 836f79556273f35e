import { randomUUID } from 'node:crypto';
import { BatchUpdateTasksRequest, Task, TaskStatus, UpdateTaskRequest } from '#contract/tasks/v1/tasks';
import type { LoadRequest } from '#dev/bench';
import { openStatuses } from '../../src/domain/task-enums.ts';
import type { BenchCluster } from '../bench-cluster.ts';
import type { Caller } from '../data/people.ts';
import { findOwnTasks, writesPerRound } from './calls.ts';

/** More batches than a round can use up. */
const batchesPerRound = 200;

/** An open task of a writer, and the status that the last request for it asked for. */
interface OpenTask {
  readonly caller: Caller;
  readonly taskId: string;
  status: TaskStatus;
}

/** Open tasks of the writers. Each request moves its task to the other of the two open statuses. */
export async function findOpenTasks(bench: BenchCluster): Promise<OpenTask[]> {
  const own = await findOwnTasks(bench, bench.writers(), openStatuses);
  return own.map(({ caller, taskId, status }) => ({ caller, taskId, status }));
}

function moveOn(task: OpenTask): UpdateTaskRequest {
  task.status = task.status === TaskStatus.PENDING ? TaskStatus.IN_PROGRESS : TaskStatus.PENDING;
  return UpdateTaskRequest.fromPartial({
    task: Task.fromPartial({ id: task.taskId, status: task.status }),
    updateMask: ['status'],
  });
}

/** Each request changes the status of one task. */
export const statusRequests = (tasks: readonly OpenTask[]) => (): LoadRequest[] =>
  Array.from({ length: writesPerRound }, (_, index) => {
    const task = tasks[index % tasks.length] as OpenTask;
    const request = { ...moveOn(task), requestId: randomUUID() };
    return { message: UpdateTaskRequest.encode(request).finish(), headers: task.caller.headers };
  });

/** Each request changes the status of up to `size` tasks of one writer. */
export function batchStatusRequests(tasks: readonly OpenTask[], size: number): () => LoadRequest[] {
  const byCaller = [...Map.groupBy(tasks, ({ caller }) => caller)];
  return () =>
    Array.from({ length: batchesPerRound }, (_, index) => {
      const [caller, own] = byCaller[index % byCaller.length] as (typeof byCaller)[number];
      const request = BatchUpdateTasksRequest.fromPartial({
        requests: own.slice(0, size).map(moveOn),
        requestId: randomUUID(),
      });
      return { message: BatchUpdateTasksRequest.encode(request).finish(), headers: caller.headers };
    });
}
