import type { UserActor } from '#libs/runtime';
import { EditCommentRequest, EditCommentResponse } from '#contract/tasks/v1/comments';
import type { TasksDeps } from '../../deps.ts';
import { editOne } from '../../domain/comment-writes.ts';
import { toCommentAnswer } from '../../domain/comment.messages.ts';
import { commentChange } from './change.ts';
import { lockComment } from './lock-comment.ts';
import { resolveMentions } from './resolve-mentions.ts';

const change = commentChange('EditComment', EditCommentRequest, EditCommentResponse);

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'commentReader' | 'taskReader' | 'people'>;

export async function editComment(
  deps: Deps,
  actor: UserActor,
  request: EditCommentRequest,
): Promise<EditCommentResponse> {
  const { commentId, text, etag } = request;
  const taskId = (await deps.commentReader.find(commentId))?.taskId;
  const { mentionIds, people, named } = await resolveMentions(deps, actor, taskId, request);
  return change(deps, actor, { taskId, request }, async (repositories) => {
    const { locked, comment } = await lockComment(repositories, actor, { commentId, taskId });
    const edited = editOne(comment, { etag, text, mentionIds }, { locked, actor, now: deps.clock.now() });
    return repositories.comments.write([edited], toCommentAnswer(comment, people, named));
  });
}
