import { AppError } from '#libs/errors';

export function cannotWatch(taskId: string): AppError {
  const description = 'only the owner, the assignee and members of the project can watch the task';
  return new AppError('failed_precondition', 'CANNOT_WATCH', description, {
    details: {
      metadata: { taskId },
      preconditions: [{ type: 'TASK_ACCESS', subject: `tasks/${taskId}`, description }],
    },
  });
}
