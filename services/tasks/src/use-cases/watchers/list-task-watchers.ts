import type { UserActor } from '#libs/runtime';
import type { ListTaskWatchersRequest, ListTaskWatchersResponse } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../../deps.ts';
import { resolutionOf } from '../../domain/comment.messages.ts';
import { maySee } from '../../domain/task-access.ts';
import { taskNotFound } from '../../domain/task.errors.ts';

type Deps = Pick<TasksDeps, 'watcherReader' | 'taskReader' | 'people' | 'pageTokens'>;

export async function listTaskWatchers(
  { watcherReader, taskReader, people, pageTokens }: Deps,
  actor: UserActor,
  { taskId, pageSize, pageToken }: ListTaskWatchersRequest,
): Promise<ListTaskWatchersResponse> {
  const scope = { caller: actor.userId, method: 'ListTaskWatchers', filter: { taskId } };
  // One more than the page shows whether another page follows.
  const found = await watcherReader.list(taskId, pageTokens.open<string>(pageToken, scope), pageSize + 1);
  // Behind the list: whoever may see the task now might see it when the list was read.
  const task = await taskReader.find(taskId, actor.userId);
  if (task === undefined || !maySee(actor, task)) throw taskNotFound(taskId);
  const watchers = found.slice(0, pageSize);
  const last = found.length > pageSize ? watchers.at(-1) : undefined;
  const ids = watchers.map(({ userId }) => userId);
  const known = await people.lookUp(ids);
  return {
    watchers: watchers.map((watcher) => ({
      ...watcher,
      userName: known.nameOf(watcher.userId),
      userServiceAccount: known.isServiceAccount(watcher.userId),
    })),
    nextPageToken: last === undefined ? '' : pageTokens.seal(last.userId, scope),
    nameResolution: resolutionOf(ids, known),
  };
}
