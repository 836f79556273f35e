import type { UserActor } from '#libs/runtime';
import { DeleteCommentRequest, DeleteCommentResponse } from '#contract/tasks/v1/comments';
import type { TasksDeps } from '../../deps.ts';
import { deleteOne } from '../../domain/comment-writes.ts';
import { toCommentAnswer } from '../../domain/comment.messages.ts';
import { commentChange } from './change.ts';
import { lockComment } from './lock-comment.ts';

const change = commentChange('DeleteComment', DeleteCommentRequest, DeleteCommentResponse);

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'commentReader' | 'people'>;

/** Its text goes for good; who wrote it, and when, stays. */
export async function deleteComment(
  deps: Deps,
  actor: UserActor,
  request: DeleteCommentRequest,
): Promise<DeleteCommentResponse> {
  const { commentId, etag } = request;
  const glance = await deps.commentReader.find(commentId);
  const people = await deps.people.lookUp([glance?.authorId ?? null]);
  const taskId = glance?.taskId;
  return change(deps, actor, { taskId, request }, async (repositories) => {
    const { locked, comment } = await lockComment(repositories, actor, { commentId, taskId });
    const deleted = deleteOne(comment, etag, { locked, actor, now: deps.clock.now() });
    return repositories.comments.write([deleted], toCommentAnswer(comment, people));
  });
}
