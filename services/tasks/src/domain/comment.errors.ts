import { AppError } from '#libs/errors';

/** Deleted ones count, since their numbers are not given again. */
export const maxComments = 10_000;

const commentName = (commentId: string): string => `comments/${commentId}`;
const resourceOf = (commentId: string) => ({ type: 'taskflow.tasks.v1.Comment', name: commentName(commentId) });

/** The same for comments of tasks that the caller may not see. */
export function commentNotFound(commentId: string): AppError {
  return new AppError('not_found', 'COMMENT_NOT_FOUND', 'no such comment', {
    details: { metadata: { commentId }, resource: resourceOf(commentId) },
  });
}

export function commentDeleted(commentId: string): AppError {
  const description = 'the comment is deleted, so it cannot be changed';
  return new AppError('failed_precondition', 'COMMENT_DELETED', description, {
    details: {
      metadata: { commentId },
      preconditions: [{ type: 'COMMENT_STATE', subject: commentName(commentId), description }],
    },
  });
}

export function notCommentAuthor(commentId: string, what: string): AppError {
  return new AppError('permission_denied', 'NOT_COMMENT_AUTHOR', `the author of the comment is needed to ${what}`, {
    details: { metadata: { commentId } },
  });
}

export function commentEtagMismatch(commentId: string): AppError {
  return new AppError('aborted', 'ETAG_MISMATCH', 'the comment has changed since the etag was read; read it again', {
    details: { metadata: { id: commentId }, resource: resourceOf(commentId) },
  });
}

export function tooManyComments(taskId: string): AppError {
  const description = `a task may have ${maxComments} comments`;
  return new AppError('failed_precondition', 'TOO_MANY_COMMENTS', description, {
    details: {
      metadata: { taskId, maxCommentCount: String(maxComments) },
      preconditions: [{ type: 'COMMENT_COUNT', subject: `tasks/${taskId}`, description }],
    },
  });
}
