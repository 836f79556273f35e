import type { UserActor } from '#libs/runtime';
import { NameResolution, type ListTasksResponse } from '#contract/tasks/v1/tasks';
import type { JsonValue } from '#libs/db';
import type { ListFilter, ListPosition, TasksDeps } from '../deps.ts';
import type { ListOrder } from '../domain/list-order.ts';
import { asksForNames, maskTask, namedPeople, type ReadMask } from '../domain/read-mask.ts';
import { withNames } from '../domain/task.messages.ts';
import { requireListAccess } from '../domain/task-access.ts';

export interface ListTasksInput {
  /** '' = what the caller owns or is assigned to. */
  ownerId: string;
  filter: ListFilter;
  order: ListOrder;
  readMask: ReadMask;
  pageSize: number;
  pageToken: string;
}

type Deps = Pick<TasksDeps, 'taskReader' | 'people' | 'pageTokens'>;

export async function listTasks(
  { taskReader, people, pageTokens }: Deps,
  actor: UserActor,
  input: ListTasksInput,
): Promise<ListTasksResponse> {
  const { ownerId, filter, order, readMask, pageSize, pageToken } = input;
  requireListAccess(actor, ownerId);
  const scope = { caller: actor.userId, method: 'ListTasks', filter: toJson({ ownerId, filter, order }) };
  const after = pageTokens.open<ListPosition>(pageToken, scope);
  const whose = ownerId === '' ? { mine: actor.userId } : { ownedBy: ownerId };

  const { tasks, next } = await taskReader.list({ whose, filter, order, after, limit: pageSize });
  const wanted = namedPeople(tasks, readMask);
  const known = await people.lookUp(wanted);
  const resolution = known.know(wanted) ? NameResolution.COMPLETE : NameResolution.UNAVAILABLE;
  return {
    tasks: tasks.map((task) => maskTask(withNames(task, known), readMask)),
    nextPageToken: next === undefined ? '' : pageTokens.seal(next, scope),
    nameResolution: asksForNames(readMask) ? resolution : NameResolution.UNSPECIFIED,
  };
}

/** As it counts for a page token: times as text, and what is left out left out. */
function toJson(value: object): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
