import type { UserActor } from '#libs/runtime';
import type { Repositories } from '../../deps.ts';
import type { Comment } from '../../domain/comment.entity.ts';
import { commentNotFound } from '../../domain/comment.errors.ts';
import type { LockedTask } from '../../domain/locked-task.ts';

/** The comment, and its task locked. Throws COMMENT_NOT_FOUND, also when the person may not see the task. */
export async function lockComment(
  { tasks, comments }: Repositories,
  actor: UserActor,
  { commentId, taskId }: { commentId: string; taskId: string | undefined },
): Promise<{ locked: LockedTask; comment: Comment }> {
  if (taskId === undefined) throw commentNotFound(commentId);
  const locked = (await tasks.findForChange([{ taskId, assigneeId: null }], actor)).get(taskId);
  const comment = locked && (await comments.find(commentId));
  if (locked === undefined || comment === undefined) throw commentNotFound(commentId);
  return { locked, comment };
}
