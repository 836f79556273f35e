import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { BatchDeleteTasksRequest, BatchDeleteTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { executeEach, inputsOf, inDeletions, valuesOf, type Member } from '../domain/batch.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import { deleteOne } from '../domain/task-writes.ts';
import { toResults } from './batch-results.ts';

export interface BatchDeleteTasksInput {
  /** Of different tasks; `etag` '' = any version. */
  deletions: Member<{ taskId: string; etag: string }>[];
  allowPartial: boolean;
  idempotencyKey: string;
  validateOnly: boolean;
  body: BatchDeleteTasksRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'retentionMs' | 'toStatus'>;

export async function batchDeleteTasks(
  { uow, clock, retentionMs, toStatus }: Deps,
  actor: UserActor,
  input: BatchDeleteTasksInput,
): Promise<BatchDeleteTasksResponse> {
  const { deletions, allowPartial, idempotencyKey, validateOnly, body } = input;
  const execute = validateOnly ? uow.dryRun : uow.run;
  return execute(
    async ({ tasks }) => {
      const now = clock.now();
      const purgeTime = new Date(now.getTime() + retentionMs);
      const found = await tasks.findForChange(
        inputsOf(deletions).map(({ taskId }) => ({ taskId, assigneeId: null })),
        actor,
      );
      const outcomes = executeEach(deletions, { allowPartial, locate: inDeletions }, ({ taskId, etag }) => {
        const locked = found.get(taskId);
        if (locked === undefined) throw taskNotFound(taskId);
        return deleteOne(locked, { etag, purgeTime }, { actor, now });
      });
      return tasks.write(valuesOf(outcomes), { results: toResults(outcomes, () => undefined, toStatus) });
    },
    once(
      { userId: actor.userId, method: 'BatchDeleteTasks', idempotencyKey },
      body,
      BatchDeleteTasksRequest,
      BatchDeleteTasksResponse,
    ),
  );
}
