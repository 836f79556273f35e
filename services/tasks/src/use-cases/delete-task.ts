import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { DeleteTaskRequest, DeleteTaskResponse, TaskEventType } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { etagMismatch, notOwner } from '../domain/task.errors.ts';
import { snapshotOf, toChange } from '../domain/task.events.ts';

export interface DeleteTaskInput {
  taskId: string;
  /** '' = any version. */
  etag: string;
  requestId: string;
  body: DeleteTaskRequest;
}

/** The row stays, so that its history can be told and it can be brought back; for everybody it is gone. */
export async function deleteTask(
  { uow, clock }: Pick<TasksDeps, 'uow' | 'clock'>,
  actor: UserActor,
  { taskId, etag, requestId, body }: DeleteTaskInput,
): Promise<DeleteTaskResponse> {
  return uow.run(
    async ({ tasks, dues, log }) => {
      const now = clock.now();
      const task = await tasks.getForChange(taskId, actor);
      if (!task.isOwnedBy(actor)) throw notOwner('delete it');
      if (etag !== '' && !task.hasEtag(etag)) throw etagMismatch(taskId);
      const before = snapshotOf(task, now);
      task.delete(now);
      await dues.follow(task, now);
      await log.record(toChange(TaskEventType.DELETED, task, { before, actorId: actor.userId, now }));
      return {};
    },
    once({ userId: actor.userId, method: 'DeleteTask', requestId }, body, DeleteTaskRequest, DeleteTaskResponse),
  );
}
