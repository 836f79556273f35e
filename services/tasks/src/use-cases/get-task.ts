import type { UserActor } from '#libs/runtime';
import type { GetTaskResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { maySee } from '../domain/task-access.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import { nameResolutionOf, peopleOf, withNames } from '../domain/task.messages.ts';

export async function getTask(
  { taskReader, people }: Pick<TasksDeps, 'taskReader' | 'people'>,
  actor: UserActor,
  taskId: string,
): Promise<GetTaskResponse> {
  const found = await taskReader.find(taskId, actor.userId);
  if (found === undefined || !maySee(actor, found)) throw taskNotFound(taskId);
  const { task } = found;
  const known = await people.lookUp(peopleOf([task]));
  return { task: withNames(task, known), nameResolution: nameResolutionOf([task], known) };
}
