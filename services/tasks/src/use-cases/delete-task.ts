import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { DeleteTaskRequest, DeleteTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { deleteOne } from '../domain/task-writes.ts';

export interface DeleteTaskInput {
  taskId: string;
  /** '' = any version. */
  etag: string;
  requestId: string;
  validateOnly: boolean;
  body: DeleteTaskRequest;
}

/** The row stays until its purge time, so that the task can be brought back; until then it is gone for everybody. */
export async function deleteTask(
  { uow, clock, retentionMs }: Pick<TasksDeps, 'uow' | 'clock' | 'retentionMs'>,
  actor: UserActor,
  { taskId, etag, requestId, validateOnly, body }: DeleteTaskInput,
): Promise<DeleteTaskResponse> {
  const carryOut = validateOnly ? uow.rehearse : uow.run;
  return carryOut(
    async ({ tasks, dues, log }) => {
      const now = clock.now();
      const task = await tasks.getForChange(taskId, actor);
      const { change } = deleteOne(task, { etag, purgeTime: new Date(now.getTime() + retentionMs) }, { actor, now });
      dues.follow([task]);
      await log.record([change]);
      return {};
    },
    once({ userId: actor.userId, method: 'DeleteTask', requestId }, body, DeleteTaskRequest, DeleteTaskResponse),
  );
}
