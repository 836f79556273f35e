import type { UserActor } from '#libs/runtime';
import type { ListTasksResponse, TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import type { ListPosition, TasksDeps } from '../deps.ts';
import { nameResolutionOf, peopleOf, withNames } from '../domain/task.messages.ts';
import { requireListAccess } from '../domain/task-access.ts';

export interface ListTasksInput {
  /** '' = what the caller owns or is assigned to. */
  ownerId: string;
  /** Sorted, without repetition; empty = all. */
  statuses: TaskStatus[];
  priorities: TaskPriority[];
  pageSize: number;
  pageToken: string;
}

type Deps = Pick<TasksDeps, 'taskReader' | 'people' | 'pageTokens'>;

export async function listTasks({ taskReader, people, pageTokens }: Deps, actor: UserActor, input: ListTasksInput): Promise<ListTasksResponse> {
  const { ownerId, statuses, priorities, pageSize, pageToken } = input;
  requireListAccess(actor, ownerId);
  const scope = { caller: actor.userId, method: 'ListTasks', filter: { ownerId, statuses, priorities } };
  const after = pageTokens.open<ListPosition>(pageToken, scope);
  const whose = ownerId === '' ? { mine: actor.userId } : { ownedBy: ownerId };

  const { tasks, next } = await taskReader.list({ whose, statuses, priorities, after, limit: pageSize });
  const known = await people.lookUp(peopleOf(tasks));
  return {
    tasks: tasks.map((task) => withNames(task, known)),
    nextPageToken: next === undefined ? '' : pageTokens.seal({ ...next }, scope),
    nameResolution: nameResolutionOf(tasks, known),
  };
}
