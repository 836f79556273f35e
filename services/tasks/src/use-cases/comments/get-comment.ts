import type { UserActor } from '#libs/runtime';
import type { GetCommentResponse } from '#contract/tasks/v1/comments';
import type { TasksDeps } from '../../deps.ts';
import { commentNotFound } from '../../domain/comment.errors.ts';
import { resolutionOf, withAuthor } from '../../domain/comment.messages.ts';
import { maySee } from '../../domain/task-access.ts';

type Deps = Pick<TasksDeps, 'commentReader' | 'taskReader' | 'people'>;

export async function getComment(
  { commentReader, taskReader, people }: Deps,
  actor: UserActor,
  commentId: string,
): Promise<GetCommentResponse> {
  const comment = await commentReader.find(commentId);
  // Behind the comment: whoever may see the task now might see it when the comment was read.
  const task = comment === undefined ? undefined : await taskReader.find(comment.taskId, actor.userId);
  if (comment === undefined || task === undefined || !maySee(actor, task)) throw commentNotFound(commentId);
  const known = await people.lookUp([comment.authorId]);
  return { comment: withAuthor(comment, known), nameResolution: resolutionOf([comment.authorId], known) };
}
