import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { BatchDeleteTasksRequest, BatchDeleteTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { carryOutEach, inputsOf, inTaskIds, valuesOf, type Member } from '../domain/batch.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import { deleteOne } from '../domain/task-writes.ts';
import { toResults } from './batch-results.ts';

export interface BatchDeleteTasksInput {
  /** Each once. */
  taskIds: Member<string>[];
  allowPartial: boolean;
  requestId: string;
  body: BatchDeleteTasksRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'retentionMs' | 'toStatus'>;

export async function batchDeleteTasks({ uow, clock, retentionMs, toStatus }: Deps, actor: UserActor, input: BatchDeleteTasksInput): Promise<BatchDeleteTasksResponse> {
  const { taskIds, allowPartial, requestId, body } = input;
  return uow.run(
    async ({ tasks, dues, log }) => {
      const now = clock.now();
      const purgeTime = new Date(now.getTime() + retentionMs);
      const found = await tasks.findForChange(inputsOf(taskIds), actor);
      const outcomes = carryOutEach(taskIds, { allowPartial, locate: inTaskIds }, (taskId) => {
        const task = found.get(taskId);
        if (task === undefined) throw taskNotFound(taskId);
        return deleteOne(task, { etag: '', purgeTime }, { actor, now });
      });
      const deleted = valuesOf(outcomes);
      dues.follow(deleted.map(({ task }) => task));
      await log.record(deleted.map(({ change }) => change));
      return { results: toResults(outcomes, () => undefined, toStatus) };
    },
    once({ userId: actor.userId, method: 'BatchDeleteTasks', requestId }, body, BatchDeleteTasksRequest, BatchDeleteTasksResponse),
  );
}
