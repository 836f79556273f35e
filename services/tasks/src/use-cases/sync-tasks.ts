import type { Position, StoredEvent } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import type { SyncTasksResponse, Task } from '#contract/tasks/v1/tasks';
import type { SyncPlace, TasksDeps } from '../deps.ts';
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

type Deps = Pick<TasksDeps, 'taskFeed' | 'pageTokens'>;

interface SyncPage {
  tasks: Task[];
  removedTaskIds: string[];
  place: FeedPlace;
  more: boolean;
}

/** Lists all existing tasks page by page, then the changes since the first page began. */
export async function syncTasks(
  { taskFeed, pageTokens }: Deps,
  { userId }: UserActor,
  input: SyncTasksInput,
): Promise<SyncTasksResponse> {
  const since = openPlace(pageTokens, userId, input.syncToken, 'sync_token');
  const place = openPage(pageTokens, userId, input) ?? since;
  const sync = { taskFeed, userId, limit: input.pageSize };
  // Read before the first page, so that no later change is missed. A page may have it already.
  const position = place?.position ?? (await taskFeed.end());
  const page =
    place === undefined || place.listed !== undefined
      ? await readExisting(sync, position, place?.listed)
      : await readChanges(sync, position);
  const { tasks, removedTaskIds, more } = page;
  return {
    tasks,
    removedTaskIds,
    nextPageToken: more ? sealPage(pageTokens, userId, input.syncToken, page.place) : '',
    nextSyncToken: more ? '' : sealPlace(pageTokens, userId, page.place.position),
  };
}

interface Sync extends Pick<TasksDeps, 'taskFeed'> {
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
  return { tasks, removedTaskIds: [], place: { position, listed }, more };
}

/** Each task once per page, in its current state. A later page may repeat it, but never with older data. */
async function readChanges({ taskFeed, userId, limit }: Sync, after: Position): Promise<SyncPage> {
  const page = await taskFeed.read(userId, after, limit);
  const events = page.events.filter(isTaskEvent);
  const taskIds = [...new Set(events.map((event) => event.subjectId))];
  const found = new Map((await taskFeed.findMine(userId, taskIds)).map((task) => [task.id, task]));
  const sent = new Set(taskIds.slice(0, countFitting(taskIds.map((id) => sizeOf(found.get(id))))));
  const firstUnsent = events.findIndex((event) => !sent.has(event.subjectId));
  const tasks = [...sent].flatMap((id) => found.get(id) ?? []);
  const removedTaskIds = [...sent].filter((id) => !found.has(id));
  const position = firstUnsent === -1 ? page.next : positionBefore(events, firstUnsent);
  return { tasks, removedTaskIds, place: { position, listed: undefined }, more: page.more || firstUnsent !== -1 };
}

function positionBefore(events: StoredEvent[], index: number): Position {
  const event = events[index - 1];
  if (event === undefined) throw new Error('a page has at least one task');
  return event.position;
}

const sizeOf = (task: Task | undefined): number => (task === undefined ? 40 : sizeOfTask(task));
