import type { Position, StoredEvent } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import type { SyncTasksResponse, Task } from '#contract/tasks/v1/tasks';
import type { SyncPlace, TasksDeps } from '../deps.ts';
import { countFitting, sizeOfTask } from '../domain/message-size.ts';
import { openPlace, sealPlace, type FeedPlace } from './feed-tokens.ts';

export interface SyncTasksInput {
  /** '' = everything. */
  syncToken: string;
  pageSize: number;
}

type Deps = Pick<TasksDeps, 'taskFeed' | 'pageTokens'>;

interface SyncPage {
  tasks: Task[];
  removedTaskIds: string[];
  place: FeedPlace;
  more: boolean;
}

/** First everything, page by page, then what has changed since the position at which the first page began. */
export async function syncTasks({ taskFeed, pageTokens }: Deps, { userId }: UserActor, input: SyncTasksInput): Promise<SyncTasksResponse> {
  const place = openPlace(pageTokens, userId, input.syncToken, 'sync_token');
  const sync = { taskFeed, userId, limit: input.pageSize };
  // Read before the first page: what changes from then on is told afterwards, whether or not a page has it already.
  const position = place?.position ?? (await taskFeed.end());
  const page = place === undefined || place.listed !== undefined ? await readExisting(sync, position, place?.listed) : await readChanges(sync, position);
  const { tasks, removedTaskIds, more } = page;
  return { tasks, removedTaskIds, nextSyncToken: sealPlace(pageTokens, userId, page.place), more };
}

interface Sync extends Pick<TasksDeps, 'taskFeed'> {
  userId: string;
  limit: number;
}

async function readExisting({ taskFeed, userId, limit }: Sync, position: Position, after: SyncPlace | undefined): Promise<SyncPage> {
  const found = await taskFeed.listMine(userId, after, limit);
  const tasks = found.slice(0, countFitting(found.map(sizeOfTask)));
  const last = tasks.at(-1);
  const full = tasks.length < found.length || found.length === limit;
  const listed = full && last?.createTime !== undefined ? { createTime: last.createTime.toISOString(), id: last.id } : undefined;
  const more = full || (await taskFeed.read(userId, position, 1)).events.length > 0;
  return { tasks, removedTaskIds: [], place: { position, listed }, more };
}

/** Each task once for a page, as it is now; so a later page may tell the same again, never something older. */
async function readChanges({ taskFeed, userId, limit }: Sync, after: Position): Promise<SyncPage> {
  const page = await taskFeed.read(userId, after, limit);
  const taskIds = [...new Set(page.events.map((event) => event.subjectId))];
  const found = new Map((await taskFeed.findMine(userId, taskIds)).map((task) => [task.id, task]));
  const told = new Set(taskIds.slice(0, countFitting(taskIds.map((id) => sizeOf(found.get(id))))));
  const untold = page.events.findIndex((event) => !told.has(event.subjectId));
  const tasks = [...told].flatMap((id) => found.get(id) ?? []);
  const removedTaskIds = [...told].filter((id) => !found.has(id));
  const position = untold === -1 ? page.next : positionBefore(page.events, untold);
  return { tasks, removedTaskIds, place: { position, listed: undefined }, more: page.more || untold !== -1 };
}

function positionBefore(events: StoredEvent[], index: number): Position {
  const event = events[index - 1];
  if (event === undefined) throw new Error('a page tells at least one task');
  return event.position;
}

const sizeOf = (task: Task | undefined): number => (task === undefined ? 40 : sizeOfTask(task));
