import type { FeedItem } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import type { TaskEvent, WatchTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { concerns } from '../domain/task-audience.ts';
import { toTaskEvent } from '../domain/task.events.ts';
import { openPlace, sealPlace } from './feed-tokens.ts';

type Deps = Pick<TasksDeps, 'taskFeed' | 'pageTokens'>;

/** Goes on until the signal fires. */
export async function* watchTasks({ taskFeed, pageTokens }: Deps, actor: UserActor, token: string, signal: AbortSignal): AsyncGenerator<WatchTasksResponse, void> {
  const { userId } = actor;
  const after = openPlace(pageTokens, userId, token, 'resume_token')?.position;
  for await (const { event, position } of taskFeed.follow(userId, after, signal)) {
    yield { ...toNews(event, userId), resumeToken: sealPlace(pageTokens, userId, { position, listed: undefined }) };
  }
}

function toNews(stored: FeedItem['event'], userId: string): Pick<WatchTasksResponse, 'event' | 'removed'> {
  if (stored === undefined) return { event: undefined, removed: false };
  const event = toTaskEvent(stored);
  const removed = !concerns(event.change?.after, userId);
  return { event: removed ? withoutAfter(event) : event, removed };
}

/** What became of a task is no longer the business of somebody whom it has left. */
function withoutAfter(event: TaskEvent): TaskEvent {
  return event.change === undefined ? event : { ...event, change: { ...event.change, after: undefined } };
}
