import type { UserActor } from '#libs/runtime';
import type { BatchGetTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { executeEach, inputsOf, inTaskIds, valuesOf, type Member } from '../domain/batch.ts';
import { requireFitting } from '../domain/message-size.ts';
import { maySee } from '../domain/task-access.ts';
import { taskNotFound } from '../domain/task.errors.ts';
import { nameResolutionOf, peopleOf, withNames } from '../domain/task.messages.ts';
import { toResults } from './batch-results.ts';

export interface BatchGetTasksInput {
  taskIds: Member<string>[];
  allowPartial: boolean;
}

type Deps = Pick<TasksDeps, 'taskReader' | 'people' | 'toStatus'>;

export async function batchGetTasks(
  { taskReader, people, toStatus }: Deps,
  actor: UserActor,
  { taskIds, allowPartial }: BatchGetTasksInput,
): Promise<BatchGetTasksResponse> {
  const found = await taskReader.findMany(inputsOf(taskIds), actor.userId);
  const visible = new Map(found.filter((each) => maySee(actor, each)).map(({ task }) => [task.id, task]));
  const outcomes = executeEach(taskIds, { allowPartial, locate: inTaskIds }, (taskId) => {
    const task = visible.get(taskId);
    if (task === undefined) throw taskNotFound(taskId);
    return task;
  });
  requireFitting(valuesOf(outcomes));
  const known = await people.lookUp(peopleOf([...visible.values()]));
  return {
    results: toResults(outcomes, (task) => withNames(task, known), toStatus),
    nameResolution: nameResolutionOf(valuesOf(outcomes), known),
  };
}
