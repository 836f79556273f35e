import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { DeleteTaskRequest, DeleteTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { deleteOne } from '../domain/task-writes.ts';

export interface DeleteTaskInput {
  taskId: string;
  /** '' = any version. */
  etag: string;
  idempotencyKey: string;
  validateOnly: boolean;
  body: DeleteTaskRequest;
}

/** Hides the task from everybody. Its row stays until the purge time, so that it can be undeleted. */
export async function deleteTask(
  { oneTaskUow, clock, retentionMs }: Pick<TasksDeps, 'oneTaskUow' | 'clock' | 'retentionMs'>,
  actor: UserActor,
  { taskId, etag, idempotencyKey, validateOnly, body }: DeleteTaskInput,
): Promise<DeleteTaskResponse> {
  const execute = validateOnly ? oneTaskUow.dryRun : oneTaskUow.run;
  return execute(
    async ({ tasks }) => {
      const now = clock.now();
      const locked = await tasks.getForChange(taskId, actor);
      const deleted = deleteOne(locked, { etag, purgeTime: new Date(now.getTime() + retentionMs) }, { actor, now });
      return tasks.write([deleted], {});
    },
    once({ userId: actor.userId, method: 'DeleteTask', idempotencyKey }, body, DeleteTaskRequest, DeleteTaskResponse),
  );
}
