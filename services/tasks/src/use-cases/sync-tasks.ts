import type { FeedScope, Position, StoredEvent } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import type { Comment } from '#contract/tasks/v1/comment_types';
import type { SyncTasksResponse, Task } from '#contract/tasks/v1/tasks';
import type { ProjectPlace, SyncPlace, TasksDeps } from '../deps.ts';
import { isProjectEvent, visibilityOf } from '../domain/project.events.ts';
import { audienceOfPayload } from '../domain/task-audience.ts';
import { isTaskEvent } from '../domain/task.events.ts';
import { countFitting, sizeOfTask } from '../domain/message-size.ts';
import { commentsOfPage, positionBefore } from './comments/comments-of-page.ts';
import { openPage, openPlace, sealPage, sealPlace, type FeedPlace } from './feed-tokens.ts';

export interface SyncTasksInput {
  /** '' = everything. */
  syncToken: string;
  pageSize: number;
  /** '' = the first page. */
  pageToken: string;
  scope: FeedScope;
}

type Deps = Pick<TasksDeps, 'taskFeed' | 'commentReader' | 'pageTokens'>;

interface SyncPage {
  tasks: Task[];
  removedTaskIds: string[];
  removedProjectIds: string[];
  comments: Comment[];
  place: FeedPlace;
  more: boolean;
}

/**
 * Lists all existing tasks page by page, first those of the person, then those of projects, then the changes since the
 * first page began. Where the person has joined a project, its tasks are listed in between. Who follows only their own
 * tasks reads of the projects too, since a project may begin and end for them, and their own tasks in it with it.
 */
export async function syncTasks(
  { taskFeed, commentReader, pageTokens }: Deps,
  { userId }: UserActor,
  input: SyncTasksInput,
): Promise<SyncTasksResponse> {
  const { scope, syncToken } = input;
  const reader = { userId, scope };
  const since = openPlace(pageTokens, reader, syncToken, 'sync_token');
  const place = openPage(pageTokens, reader, input) ?? since;
  const sync = { taskFeed, commentReader, userId, scope, limit: input.pageSize };
  // Read before the first page, so that no later change is missed. A page may have it already.
  const position = place?.position ?? (await taskFeed.end());
  const page =
    place === undefined || place.listed !== undefined
      ? await readExisting(sync, position, place?.listed)
      : await readChanges(sync, position);
  const { tasks, removedTaskIds, removedProjectIds, comments, more } = page;
  return {
    tasks,
    removedTaskIds,
    removedProjectIds,
    comments,
    nextPageToken: more ? sealPage(pageTokens, reader, syncToken, page.place) : '',
    nextSyncToken: more ? '' : sealPlace(pageTokens, reader, page.place.position),
  };
}

interface Sync extends Pick<TasksDeps, 'taskFeed' | 'commentReader'> {
  userId: string;
  scope: FeedScope;
  limit: number;
}

const firstProject: ProjectPlace = { projectId: '00000000-0000-0000-0000-000000000000', number: '0', only: false };

const isShared = (place: SyncPlace | ProjectPlace | undefined): place is ProjectPlace =>
  place !== undefined && 'projectId' in place;

async function readExisting(
  sync: Sync,
  position: Position,
  after: SyncPlace | ProjectPlace | undefined,
): Promise<SyncPage> {
  const { taskFeed, userId, scope, limit } = sync;
  // Refuses a token from before a restore of the log, not only on the last page.
  const changed = await taskFeed.read(userId, position, 1, 'all');
  if (isShared(after) && after.gone === true) return readGone(sync, position, after);
  const found = isShared(after)
    ? await taskFeed.listShared(userId, after, limit, scope)
    : await taskFeed.listMine(userId, after, limit);
  const tasks = found.slice(0, countFitting(found.map(sizeOfTask)));
  const last = tasks.at(-1);
  const isFull = tasks.length < found.length || found.length === limit;
  const listed = isFull && last !== undefined ? placeBehind(last, after) : nextList(sync, after);
  const more = listed !== undefined || changed.events.length > 0;
  return { tasks, removedTaskIds: [], removedProjectIds: [], comments: [], place: { position, listed }, more };
}

/** The person's own tasks of a project that has ended for them. Which of them they may see again is told later. */
async function readGone({ taskFeed, userId, limit }: Sync, position: Position, after: ProjectPlace): Promise<SyncPage> {
  const found = await taskFeed.listOwnIn(userId, after, limit);
  const last = found.length === limit ? found.at(-1) : undefined;
  const listed = last && { ...after, number: String(last.number) };
  const removedTaskIds = found.map(({ id }) => id);
  return { tasks: [], removedTaskIds, removedProjectIds: [], comments: [], place: { position, listed }, more: true };
}

function placeBehind(
  { createTime, id, projectId, number }: Task,
  after: SyncPlace | ProjectPlace | undefined,
): SyncPlace | ProjectPlace {
  if (isShared(after)) return { ...after, projectId, number: String(number) };
  return { createTime: createTime?.toISOString() ?? '', id };
}

/** What is listed behind the last page of a list. */
const nextList = ({ scope }: Sync, after: SyncPlace | ProjectPlace | undefined): ProjectPlace | undefined =>
  scope === 'all' && !isShared(after) ? firstProject : undefined;

/** Each task once per page, in its current state. A later page may repeat it, but never with older data. */
async function readChanges(sync: Sync, after: Position): Promise<SyncPage> {
  const { taskFeed, userId, scope, limit } = sync;
  const read = await taskFeed.read(userId, after, limit, 'all');
  const { page, comments } = await commentsOfPage(sync, read, (event) => isFollowed(event, sync));
  const { events, list, removedProjectIds } = upToList(page.events, sync);
  const taskIds = [...new Set(events.filter((event) => isFollowed(event, sync)).map((event) => event.subjectId))];
  const found = new Map((await taskFeed.find(userId, taskIds, scope)).map((task) => [task.id, task]));
  const sent = new Set(taskIds.slice(0, countFitting(taskIds.map((id) => sizeOf(found.get(id))))));
  const firstUnsent = events.findIndex((event) => isFollowed(event, sync) && !sent.has(event.subjectId));
  const isCut = firstUnsent !== -1;
  return {
    tasks: [...sent].flatMap((id) => found.get(id) ?? []),
    removedTaskIds: [...sent].filter((id) => !found.has(id)),
    // What ended behind the last event of this page is told again by the next one.
    removedProjectIds,
    comments: comments.filter(({ taskId }) => sent.has(taskId) && found.has(taskId)),
    place: isCut
      ? { position: positionBefore(events, firstUnsent), listed: undefined }
      : { position: (list && events.at(-1)?.position) ?? page.next, listed: list },
    more: isCut || list !== undefined || page.more,
  };
}

interface Changes {
  events: readonly StoredEvent[];
  /** What is to be listed behind the last of the events. */
  list: ProjectPlace | undefined;
  /** The projects that ended, for whom follows all tasks. */
  removedProjectIds: string[];
}

/** The events up to the first behind which tasks are listed: those of a project that has begun, or own ones of one that ended. */
function upToList(events: readonly StoredEvent[], { userId, scope }: Sync): Changes {
  const removedProjectIds: string[] = [];
  for (const [index, event] of events.entries()) {
    const { joined, removed } = isProjectEvent(event) ? visibilityOf(event, userId) : {};
    const projectId = joined ?? (scope === 'own' ? removed : undefined);
    if (removed !== undefined && scope === 'all') removedProjectIds.push(removed);
    if (projectId !== undefined) {
      const list = { projectId, number: '0', only: true, gone: joined === undefined };
      return { events: events.slice(0, index + 1), list, removedProjectIds };
    }
  }
  return { events, list: undefined, removedProjectIds };
}

/** Whether it is about a task that belongs to those that are followed, before or after the change. */
const isFollowed = (event: StoredEvent, { userId, scope }: Sync): boolean =>
  isTaskEvent(event) && (scope === 'all' || audienceOfPayload(event.payload).includes(userId));

const sizeOf = (task: Task | undefined): number => (task === undefined ? 40 : sizeOfTask(task));
