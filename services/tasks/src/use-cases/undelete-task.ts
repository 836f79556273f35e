import { once } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import { UndeleteTaskRequest, UndeleteTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { mayOnTask } from '../domain/task-access.ts';
import { peopleOf, toTaskAnswer } from '../domain/task.messages.ts';
import { undeleteOne } from '../domain/task-writes.ts';

export interface UndeleteTaskInput {
  taskId: string;
  /** '' = any version. */
  etag: string;
  idempotencyKey: string;
  validateOnly: boolean;
  body: UndeleteTaskRequest;
}

type Deps = Pick<TasksDeps, 'oneTaskUow' | 'clock' | 'people' | 'taskReader'>;

export async function undeleteTask(
  { oneTaskUow, clock, people, taskReader }: Deps,
  actor: UserActor,
  { taskId, etag, idempotencyKey, validateOnly, body }: UndeleteTaskInput,
): Promise<UndeleteTaskResponse> {
  const glance = await taskReader.findMany([taskId], actor.userId, { deleted: true });
  const changeable = glance.filter((each) => mayOnTask(actor, each, 'write'));
  const known = await people.lookUp(peopleOf(changeable.map(({ task }) => task)));

  const execute = validateOnly ? oneTaskUow.dryRun : oneTaskUow.run;
  return execute(
    async ({ tasks }) => {
      const now = clock.now();
      const locked = await tasks.getForUndeletion(taskId, actor, now);
      const undeleted = undeleteOne(locked, etag, { actor, now });
      const answer = toTaskAnswer({ task: locked.task, now }, known);
      return tasks.write(undeleted === undefined ? [] : [undeleted], answer);
    },
    once(
      { userId: actor.userId, method: 'UndeleteTask', idempotencyKey },
      body,
      UndeleteTaskRequest,
      UndeleteTaskResponse,
    ),
  );
}
