import type { UserActor } from '#libs/runtime';
import { AddCommentRequest, AddCommentResponse } from '#contract/tasks/v1/comments';
import type { TasksDeps } from '../../deps.ts';
import { addOne, requireCommenter } from '../../domain/comment-writes.ts';
import { maxComments, tooManyComments } from '../../domain/comment.errors.ts';
import { toCommentAnswer } from '../../domain/comment.messages.ts';
import { commentChange } from './change.ts';
import { resolveMentions } from './resolve-mentions.ts';

const change = commentChange('AddComment', AddCommentRequest, AddCommentResponse);

type Deps = Pick<TasksDeps, 'uow' | 'clock' | 'newId' | 'taskReader' | 'commentReader' | 'people'>;

export async function addComment(
  deps: Deps,
  actor: UserActor,
  request: AddCommentRequest,
): Promise<AddCommentResponse> {
  const { taskId, text } = request;
  const { mentionIds, people, named } = await resolveMentions(deps, actor, taskId, request);
  const id = deps.newId();
  return change(deps, actor, { taskId, request }, async ({ tasks, comments }) => {
    const locked = await tasks.getForChange(taskId, actor);
    requireCommenter({ locked, actor });
    const number = await comments.nextNumber(taskId);
    if (number > maxComments) throw tooManyComments(taskId);
    const added = addOne({ id, number, text, mentionIds }, { locked, actor, now: deps.clock.now() });
    return comments.write([added], toCommentAnswer(added.comment, people, named));
  });
}
