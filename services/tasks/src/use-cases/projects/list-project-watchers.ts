import type { UserActor } from '#libs/runtime';
import type { ListProjectWatchersRequest, ListProjectWatchersResponse } from '#contract/tasks/v1/projects';
import type { TasksDeps } from '../../deps.ts';
import { resolutionOf } from '../../domain/comment.messages.ts';
import { findVisible } from './get-project.ts';

type Deps = Pick<TasksDeps, 'watcherReader' | 'projectReader' | 'people' | 'pageTokens'>;

export async function listProjectWatchers(
  deps: Deps,
  actor: UserActor,
  { projectId, pageSize, pageToken }: ListProjectWatchersRequest,
): Promise<ListProjectWatchersResponse> {
  const { watcherReader, people, pageTokens } = deps;
  const scope = { caller: actor.userId, method: 'ListProjectWatchers', filter: { projectId } };
  const after = pageTokens.open<string>(pageToken, scope);
  // One more than the page shows whether another page follows.
  const found = await watcherReader.listOfProject(projectId, after, pageSize + 1);
  // Behind the list: whoever may see the project now might see it when the list was read.
  await findVisible(deps, actor, projectId);
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
