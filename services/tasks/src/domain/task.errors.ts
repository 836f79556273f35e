import { AppError } from '#libs/errors';

const plain = (status: string): string => status.replace('TASK_STATUS_', '');
const taskName = (taskId: string): string => `tasks/${taskId}`;
const resourceOf = (taskId: string) => ({ type: 'taskflow.tasks.v1.Task', name: taskName(taskId) });

/** The same for tasks that the caller may not see, so that callers cannot tell whether a task exists. */
export function taskNotFound(taskId: string): AppError {
  return new AppError('not_found', 'TASK_NOT_FOUND', 'no such task', {
    details: { metadata: { taskId }, resource: resourceOf(taskId) },
  });
}

export function notOwner(taskId: string, what: string): AppError {
  return new AppError('permission_denied', 'NOT_OWNER', `only the owner may ${what}`, {
    details: { metadata: { taskId } },
  });
}

export function adminRequired(ownerId: string): AppError {
  return new AppError('permission_denied', 'ADMIN_REQUIRED', 'only administrators may name another owner', {
    details: { metadata: { ownerId } },
  });
}

/** Does not repeat the etag, which could be a secret that was sent by mistake. */
export function etagMismatch(taskId: string): AppError {
  return new AppError('aborted', 'ETAG_MISMATCH', 'the task has changed since the etag was read; read it again', {
    details: { metadata: { id: taskId }, resource: resourceOf(taskId) },
  });
}

export function illegalTransition(taskId: string, from: string, to: string): AppError {
  const metadata = { taskId, fromStatus: plain(from), toStatus: plain(to) };
  const description = `a task that is ${metadata.fromStatus} cannot become ${metadata.toStatus}`;
  return new AppError('failed_precondition', 'ILLEGAL_STATUS_TRANSITION', description, {
    details: { metadata, preconditions: [{ type: 'TASK_STATUS', subject: taskName(taskId), description }] },
  });
}

export function assigneeNotFound(assigneeId: string): AppError {
  const description = 'the assignee does not exist or is disabled';
  return new AppError('failed_precondition', 'ASSIGNEE_NOT_FOUND', description, {
    details: {
      metadata: { assigneeId },
      preconditions: [{ type: 'ASSIGNEE', subject: `users/${assigneeId}`, description }],
    },
  });
}

export function assigneeNotMember(projectId: string, assigneeId: string): AppError {
  const description = 'the assignee is no member of the project';
  return new AppError('failed_precondition', 'ASSIGNEE_NOT_MEMBER', description, {
    details: {
      metadata: { projectId, assigneeId },
      preconditions: [{ type: 'ASSIGNEE', subject: `users/${assigneeId}`, description }],
    },
  });
}

export function ownerNotMember(projectId: string, userId: string): AppError {
  const description = 'who owns a task of the project is a member of it; add yourself first';
  return new AppError('failed_precondition', 'OWNER_NOT_MEMBER', description, {
    details: {
      metadata: { projectId, userId },
      preconditions: [{ type: 'OWNER', subject: `users/${userId}`, description }],
    },
  });
}

/** The same for one that the caller may not see, and for one that is not there. */
export function taskNotInProject(taskId: string, projectId: string | null): AppError {
  const message = projectId === null ? 'the task is in no project' : 'the other task is not in the same project';
  return new AppError('failed_precondition', 'TASK_NOT_IN_PROJECT', message, {
    details: {
      metadata: { taskId, ...(projectId === null ? {} : { projectId }) },
      preconditions: [{ type: 'PROJECT', subject: `tasks/${taskId}`, description: message }],
    },
  });
}

/** Nobody has the e-mail, or the caller may not find them by it: one answer, which does not repeat the e-mail. */
export function assigneeEmailNotFound(): AppError {
  const description = 'the caller finds nobody by this e-mail';
  return new AppError('failed_precondition', 'ASSIGNEE_NOT_FOUND', description, {
    details: {
      violations: [{ field: 'assignee_email', description }],
      preconditions: [{ type: 'ASSIGNEE', subject: 'assignee_email', description }],
    },
  });
}

export function tooManyUnknownEmails(userId: string, limit: string, retryAfterMs: number): AppError {
  return new AppError('resource_exhausted', 'RATE_LIMITED', `too many requests: the limit is ${limit}`, {
    details: { retryAfterMs, quota: [{ subject: `user:${userId}`, description: limit }], metadata: { limit } },
  });
}

export function externalIdTaken(): AppError {
  return new AppError('already_exists', 'EXTERNAL_ID_TAKEN', 'a task with this external id exists');
}

/** Passes on what tells when to retry: an open breaker towards users, or a limit. */
export function uncheckedPerson(message: string, cause: unknown): AppError {
  if (cause instanceof AppError && isRetryable(cause)) return cause;
  const details = { retryAfterMs: 1000, metadata: { service: 'users' } };
  return new AppError('unavailable', 'DEPENDENCY_UNAVAILABLE', message, { details, cause });
}

export const assigneeUnchecked = (cause: unknown): AppError =>
  uncheckedPerson('the assignee cannot be checked now', cause);

/** Nothing is wrong with the request: a repeat may help. */
export const isRetryable = ({ kind }: AppError): boolean => kind === 'unavailable' || kind === 'resource_exhausted';
