import type { FeedPage, Position, StoredEvent } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import type { Comment } from '#contract/tasks/v1/comment_types';
import type { SyncTasksResponse, Task } from '#contract/tasks/v1/tasks';
import type { SyncPlace, TasksDeps } from '../deps.ts';
import { commentIdOf } from '../domain/comment.events.ts';
import { sizeOfComment } from '../domain/comment.messages.ts';
import { isTaskEvent } from '../domain/task.events.ts';
import { countFitting, sizeOfTask } from '../domain/message-size.ts';
import { openPage, openPlace, sealPage, sealPlace, type FeedPlace } from './feed-tokens.ts';

export interface SyncTasksInput {
  /** '' = everything. */
  syncToken: string;
  pageSize: number;
  /** '' = the first page. */
  pageToken: string;
}

type Deps = Pick<TasksDeps, 'taskFeed' | 'commentReader' | 'pageTokens'>;

interface SyncPage {
  tasks: Task[];
  removedTaskIds: string[];
  comments: Comment[];
  place: FeedPlace;
  more: boolean;
}

/** Lists all existing tasks page by page, then the changes since the first page began. */
export async function syncTasks(
  { taskFeed, commentReader, pageTokens }: Deps,
  { userId }: UserActor,
  input: SyncTasksInput,
): Promise<SyncTasksResponse> {
  const since = openPlace(pageTokens, userId, input.syncToken, 'sync_token');
  const place = openPage(pageTokens, userId, input) ?? since;
  const sync = { taskFeed, commentReader, userId, limit: input.pageSize };
  // Read before the first page, so that no later change is missed. A page may have it already.
  const position = place?.position ?? (await taskFeed.end());
  const page =
    place === undefined || place.listed !== undefined
      ? await readExisting(sync, position, place?.listed)
      : await readChanges(sync, position);
  const { tasks, removedTaskIds, comments, more } = page;
  return {
    tasks,
    removedTaskIds,
    comments,
    nextPageToken: more ? sealPage(pageTokens, userId, input.syncToken, page.place) : '',
    nextSyncToken: more ? '' : sealPlace(pageTokens, userId, page.place.position),
  };
}

interface Sync extends Pick<TasksDeps, 'taskFeed' | 'commentReader'> {
  userId: string;
  limit: number;
}

async function readExisting(
  { taskFeed, userId, limit }: Sync,
  position: Position,
  after: SyncPlace | undefined,
): Promise<SyncPage> {
  // Refuses a token from before a restore of the log, not only on the last page.
  const changed = await taskFeed.read(userId, position, 1);
  const found = await taskFeed.listMine(userId, after, limit);
  const tasks = found.slice(0, countFitting(found.map(sizeOfTask)));
  const last = tasks.at(-1);
  const full = tasks.length < found.length || found.length === limit;
  const listed =
    full && last?.createTime !== undefined ? { createTime: last.createTime.toISOString(), id: last.id } : undefined;
  const more = full || changed.events.length > 0;
  return { tasks, removedTaskIds: [], comments: [], place: { position, listed }, more };
}

/** Each task once per page, in its current state. A later page may repeat it, but never with older data. */
async function readChanges(sync: Sync, after: Position): Promise<SyncPage> {
  const { taskFeed, userId, limit } = sync;
  const { page, comments } = await withComments(sync, await taskFeed.read(userId, after, limit));
  const events = page.events.filter(isTaskEvent);
  const taskIds = [...new Set(events.map((event) => event.subjectId))];
  const found = new Map((await taskFeed.findMine(userId, taskIds)).map((task) => [task.id, task]));
  const sent = new Set(taskIds.slice(0, countFitting(taskIds.map((id) => sizeOf(found.get(id))))));
  const firstUnsent = events.findIndex((event) => !sent.has(event.subjectId));
  const tasks = [...sent].flatMap((id) => found.get(id) ?? []);
  const removedTaskIds = [...sent].filter((id) => !found.has(id));
  const position = firstUnsent === -1 ? page.next : positionBefore(events, firstUnsent);
  return {
    tasks,
    removedTaskIds,
    comments: comments.filter(({ taskId }) => sent.has(taskId) && found.has(taskId)),
    place: { position, listed: undefined },
    more: page.more || firstUnsent !== -1,
  };
}

function positionBefore(events: StoredEvent[], index: number): Position {
  const event = events[index - 1];
  if (event === undefined) throw new Error('a page has at least one task');
  return event.position;
}

const sizeOf = (task: Task | undefined): number => (task === undefined ? 40 : sizeOfTask(task));

/** Beside the tasks of a page, whose size has a bound of its own. */
const maxCommentBytes = 512 * 1024;

/** The comments that a page tells of, as they are now, each once; and the page, cut off where they would be too many. */
async function withComments({ commentReader }: Sync, page: FeedPage): Promise<{ page: FeedPage; comments: Comment[] }> {
  const idOf = new Map(page.events.map((event) => [event, commentIdOf(event)] as const));
  const found = await commentReader.findMany([...new Set(page.events.flatMap((event) => idOf.get(event) ?? []))]);
  const told = new Map<string, Comment>();
  let bytes = 0;
  for (const [index, event] of page.events.entries()) {
    const comment = found.get(idOf.get(event) ?? '');
    if (comment === undefined || told.has(comment.id)) continue;
    bytes += sizeOfComment(comment);
    if (bytes > maxCommentBytes) {
      const events = page.events.slice(0, index);
      return {
        page: { ...page, events, next: positionBefore(events, index), more: true },
        comments: [...told.values()],
      };
    }
    told.set(comment.id, comment);
  }
  return { page, comments: [...told.values()] };
}
