import type { FeedScope } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import { NameResolution, type ListTasksResponse } from '#contract/tasks/v1/tasks';
import type { JsonValue } from '#libs/db';
import { ProjectRole } from '#contract/tasks/v1/projects';
import type { ListFilter, ListPosition, ListQuery, TasksDeps } from '../deps.ts';
import type { ListOrder } from '../domain/list-order.ts';
import { asksForNames, maskTask, namedPeople, type ReadMask } from '../domain/read-mask.ts';
import { withNames } from '../domain/task.messages.ts';
import { mayInProject } from '../domain/project-access.ts';
import { findVisible } from './projects/get-project.ts';
import { requireListAccess } from '../domain/task-access.ts';

export interface ListTasksInput {
  /** '' = what the caller owns or is assigned to. */
  ownerId: string;
  /** '' = none. */
  projectId: string;
  /** Without an owner and a project. */
  scope: FeedScope;
  filter: ListFilter;
  order: ListOrder;
  readMask: ReadMask;
  pageSize: number;
  pageToken: string;
}

type Deps = Pick<TasksDeps, 'taskReader' | 'projectReader' | 'people' | 'pageTokens'>;

export async function listTasks(deps: Deps, actor: UserActor, input: ListTasksInput): Promise<ListTasksResponse> {
  const { people, pageTokens } = deps;
  const { ownerId, projectId, scope: asked, filter, order, readMask, pageSize, pageToken } = input;
  requireListAccess(actor, ownerId);
  const project = { ...(projectId === '' ? {} : { projectId }), ...(asked === 'all' ? { scope: asked } : {}) };
  const scope = { caller: actor.userId, method: 'ListTasks', filter: toJson({ ownerId, ...project, filter, order }) };
  const after = pageTokens.open<ListPosition>(pageToken, scope);
  const query = { filter, order, after, limit: pageSize };
  const { tasks, next } =
    projectId === ''
      ? await listOfPerson(deps, actor, query, input)
      : await listOfProject(deps, actor, query, projectId);

  const wanted = namedPeople(tasks, readMask);
  const known = await people.lookUp(wanted);
  const resolution = known.know(wanted) ? NameResolution.COMPLETE : NameResolution.UNAVAILABLE;
  return {
    tasks: tasks.map((task) => maskTask(withNames(task, known), readMask)),
    nextPageToken: next === undefined ? '' : pageTokens.seal(next, scope),
    nameResolution: asksForNames(readMask) ? resolution : NameResolution.UNSPECIFIED,
  };
}

type Query = Omit<ListQuery, 'whose'>;
type Page = Awaited<ReturnType<TasksDeps['taskReader']['list']>>;

/**
 * Tasks stay with an owner or assignee who has left their project until they are handed over, and with those of a deleted
 * project until it is purged. Such tasks are left out, which is looked up behind the page: whoever may not see a task at its
 * end does not get it.
 */
async function listOfPerson(
  deps: Deps,
  actor: UserActor,
  query: Query,
  { ownerId, scope }: Pick<ListTasksInput, 'ownerId' | 'scope'>,
): Promise<Page> {
  const own = scope === 'all' ? { everything: actor.userId } : { mine: actor.userId };
  const whose = ownerId === '' ? own : { ownedBy: ownerId };
  const { tasks, next } = await deps.taskReader.list({ ...query, whose });
  const projectIds = new Set(tasks.flatMap(({ projectId }) => (projectId === '' ? [] : [projectId])));
  const which = { userId: actor.userId, ofEverybody: actor.role === 'admin' && scope !== 'all' };
  const seen = await deps.projectReader.findSeen([...projectIds], which);
  return { tasks: tasks.filter(({ projectId }) => projectId === '' || seen.has(projectId)), next };
}

/**
 * Access is looked up once more behind the page, which several statements may have read: whoever is no member at its end
 * gets nothing of it.
 */
async function listOfProject(deps: Deps, actor: UserActor, query: Query, projectId: string): Promise<Page> {
  const { role } = await findVisible(deps, actor, projectId);
  const maySeeDeleted = mayInProject(actor, role === ProjectRole.UNSPECIFIED ? undefined : role, 'write');
  const filter = { ...query.filter, showDeleted: query.filter.showDeleted && maySeeDeleted };
  const page = await deps.taskReader.list({ ...query, filter, whose: { inProject: projectId } });
  await findVisible(deps, actor, projectId);
  return page;
}

/** As it counts for a page token: times as text, and what is left out left out. */
function toJson(value: object): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
