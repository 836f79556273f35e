import type { FeedItem, FeedScope } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import { WatchTasksResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../deps.ts';
import { isProjectEvent, visibilityOf } from '../domain/project.events.ts';
import { isTaskEvent, toTaskEventOf } from '../domain/task.events.ts';
import { withTexts } from './comments/with-texts.ts';
import { openPlace, sealPlace } from './feed-tokens.ts';

export interface WatchTasksInput {
  /** '' = from now on. */
  resumeToken: string;
  scope: FeedScope;
}

type Deps = Pick<TasksDeps, 'taskFeed' | 'commentReader' | 'pageTokens'>;

/** Ends when the signal fires. */
export async function* watchTasks(
  { taskFeed, commentReader, pageTokens }: Deps,
  actor: UserActor,
  { resumeToken: token, scope }: WatchTasksInput,
  signal: AbortSignal,
): AsyncGenerator<WatchTasksResponse, void> {
  const reader = { userId: actor.userId, scope };
  const after = openPlace(pageTokens, reader, token, 'resume_token')?.position;
  for await (const item of taskFeed.subscribe(actor.userId, after, signal, scope)) {
    const resumeToken = sealPlace(pageTokens, reader, item.position);
    const update = toUpdate(item, actor, scope);
    const [event] = await withTexts({ commentReader }, update.event === undefined ? [] : [update.event]);
    yield WatchTasksResponse.fromPartial({ ...update, event, resumeToken });
  }
}

/** Instead of what tells nothing of a task and ends or begins nothing for the reader comes a heartbeat, behind it. */
function toUpdate(
  { event: stored, parts }: FeedItem,
  person: UserActor,
  scope: FeedScope,
): Partial<WatchTasksResponse> {
  if (stored !== undefined && isTaskEvent(stored)) return toTaskEventOf({ person, scope, projects: parts }, stored);
  if (stored === undefined || scope === 'own' || !isProjectEvent(stored)) return {};
  const { joined = '', removed = '' } = visibilityOf(stored, person.userId);
  return { joinedProjectId: joined, removedProjectId: removed };
}
