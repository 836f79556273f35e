import type { UserActor } from '#libs/runtime';
import type { ListCommentsRequest, ListCommentsResponse } from '#contract/tasks/v1/comments';
import type { TasksDeps } from '../../deps.ts';
import { resolutionOf, sizeOfComment, withAuthor } from '../../domain/comment.messages.ts';
import { countFitting } from '../../domain/message-size.ts';
import { maySee } from '../../domain/task-access.ts';
import { taskNotFound } from '../../domain/task.errors.ts';

type Deps = Pick<TasksDeps, 'commentReader' | 'taskReader' | 'people' | 'pageTokens'>;

export async function listComments(
  { commentReader, taskReader, people, pageTokens }: Deps,
  actor: UserActor,
  { taskId, newestFirst, pageSize, pageToken }: ListCommentsRequest,
): Promise<ListCommentsResponse> {
  const scope = { caller: actor.userId, method: 'ListComments', filter: { taskId, newestFirst } };
  const after = pageTokens.open<number>(pageToken, scope);
  // One more than the page shows whether another page follows.
  const found = await commentReader.list({ taskId, newestFirst }, after, pageSize + 1);
  // Behind the list: whoever may see the task now might see it when the list was read.
  const task = await taskReader.find(taskId, actor.userId);
  if (task === undefined || !maySee(actor, task)) throw taskNotFound(taskId);
  const page = found.slice(0, pageSize);
  const comments = page.slice(0, countFitting(page.map(sizeOfComment)));
  const last = comments.length < found.length ? comments.at(-1) : undefined;
  const authorIds = comments.map(({ authorId }) => authorId);
  const known = await people.lookUp(authorIds);
  return {
    comments: comments.map((comment) => withAuthor(comment, known)),
    nextPageToken: last === undefined ? '' : pageTokens.seal(last.number, scope),
    nameResolution: resolutionOf(authorIds, known),
  };
}
