import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { UndeleteTaskRequest, UndeleteTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { nameResolutionOf, peopleOf, toTaskMessage, withNames } from '../domain/task.messages.ts';
import { undeleteOne } from '../domain/task-writes.ts';

export interface UndeleteTaskInput {
  taskId: string;
  /** '' = any version. */
  etag: string;
  requestId: string;
  body: UndeleteTaskRequest;
}

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'people' | 'taskReader'>;

export async function undeleteTask(
  { uow, clock, people, taskReader }: Deps,
  actor: UserActor,
  { taskId, etag, requestId, body }: UndeleteTaskInput,
): Promise<UndeleteTaskResponse> {
  const glance = await taskReader.findMany([taskId], { deleted: true });
  const known = await people.lookUp(peopleOf(glance.filter((task) => task.ownerId === actor.userId || actor.role === 'admin')));

  return uow.run(
    async ({ tasks, dues, log }) => {
      const now = clock.now();
      const task = await tasks.getForUndeletion(taskId, actor, now);
      const undeleted = undeleteOne(task, etag, { actor, now });
      if (undeleted !== undefined) {
        dues.follow([task]);
        await log.record([undeleted.change]);
      }
      const message = toTaskMessage(task, now);
      return { task: withNames(message, known), nameResolution: nameResolutionOf([message], known) };
    },
    once({ userId: actor.userId, method: 'UndeleteTask', requestId }, body, UndeleteTaskRequest, UndeleteTaskResponse),
  );
}
