import type { UserActor } from '#libs/runtime';
import type { Repositories } from '../../deps.ts';
import type { Comment } from '../../domain/comment.entity.ts';
import { commentNotFound } from '../../domain/comment.errors.ts';
import type { Task } from '../../domain/task.entity.ts';

/** The comment, and its task locked. Throws COMMENT_NOT_FOUND, also when the person may not see the task. */
export async function lockComment(
  { tasks, comments }: Repositories,
  actor: UserActor,
  { commentId, taskId }: { commentId: string; taskId: string | undefined },
): Promise<{ task: Task; comment: Comment }> {
  const task = taskId === undefined ? undefined : (await tasks.findForChange([taskId], actor)).get(taskId);
  const comment = task === undefined ? undefined : await comments.find(commentId);
  if (task === undefined || comment === undefined) throw commentNotFound(commentId);
  return { task, comment };
}
