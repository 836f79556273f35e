import { AppError, invalidFields } from '#libs/errors';

const plain = (status: string): string => status.replace('TASK_STATUS_', '');
const taskName = (taskId: string): string => `tasks/${taskId}`;

/** Also for tasks that exist but that the caller may not see: the answer must not tell them apart. */
export function taskNotFound(taskId: string): AppError {
  return new AppError('not_found', 'TASK_NOT_FOUND', 'no such task', {
    details: { resource: { type: 'taskflow.tasks.v1.Task', name: taskName(taskId) } },
  });
}

export function notOwner(what: string): AppError {
  return new AppError('permission_denied', 'NOT_OWNER', `only the owner may ${what}`);
}

export function adminRequired(): AppError {
  return new AppError('permission_denied', 'ADMIN_REQUIRED', 'only administrators may name another owner');
}

export function etagMismatch(taskId: string): AppError {
  return new AppError('aborted', 'ETAG_MISMATCH', 'the task has changed since the etag was read; read it again', {
    details: { resource: { type: 'taskflow.tasks.v1.Task', name: taskName(taskId) } },
  });
}

export function illegalTransition(taskId: string, from: string, to: string): AppError {
  const description = `a task that is ${plain(from)} cannot become ${plain(to)}`;
  return new AppError('failed_precondition', 'ILLEGAL_STATUS_TRANSITION', description, {
    details: { preconditions: [{ type: 'TASK_STATUS', subject: taskName(taskId), description }] },
  });
}

export function assigneeNotFound(userId: string): AppError {
  const description = 'the assignee does not exist or is disabled';
  return new AppError('failed_precondition', 'ASSIGNEE_NOT_FOUND', description, {
    details: { preconditions: [{ type: 'ASSIGNEE', subject: `users/${userId}`, description }] },
  });
}

export function incompleteDueDay(): AppError {
  return invalidFields([{ field: 'task.due_zone', description: 'is required with due_date, and must be empty without it' }]);
}

export function externalIdTaken(): AppError {
  return new AppError('already_exists', 'EXTERNAL_ID_TAKEN', 'a task with this external id exists');
}

/** Says why, when the call to users did: an open breaker tells when it may be tried again. */
export function assigneeUnchecked(cause: unknown): AppError {
  if (cause instanceof AppError && cause.kind === 'unavailable') return cause;
  const details = { retryAfterMs: 1000 };
  return new AppError('unavailable', 'DEPENDENCY_UNAVAILABLE', 'the assignee cannot be checked now', { details, cause });
}
