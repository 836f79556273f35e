import type { FeedItem } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import type { WatchTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { isTaskEvent, toTaskEventOf } from '../domain/task.events.ts';
import { withTexts } from './comments/with-texts.ts';
import { openPlace, sealPlace } from './feed-tokens.ts';

type Deps = Pick<TasksDeps, 'taskFeed' | 'commentReader' | 'pageTokens'>;

/** Ends when the signal fires. */
export async function* watchTasks(
  { taskFeed, commentReader, pageTokens }: Deps,
  actor: UserActor,
  token: string,
  signal: AbortSignal,
): AsyncGenerator<WatchTasksResponse, void> {
  const { userId } = actor;
  const after = openPlace(pageTokens, userId, token, 'resume_token')?.position;
  for await (const { event, position } of taskFeed.subscribe(userId, after, signal)) {
    const update = toUpdate(event, actor);
    const [told] = await withTexts({ commentReader }, update.event === undefined ? [] : [update.event]);
    yield { ...update, event: told, resumeToken: sealPlace(pageTokens, userId, position) };
  }
}

/** Instead of what is about no task comes a heartbeat, behind it. */
function toUpdate(stored: FeedItem['event'], reader: UserActor): Pick<WatchTasksResponse, 'event' | 'removed'> {
  return stored !== undefined && isTaskEvent(stored)
    ? toTaskEventOf(reader, stored)
    : { event: undefined, removed: false };
}
