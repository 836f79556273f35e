import { TaskEventType, type TaskEvent } from '#contract/tasks/v1/tasks';

/** A task that was removed with its owner's account, for one of those who were told of it. */
export interface RemovedTask {
  taskId: string;
  recipientId: string;
}

/** Tasks says so by a deletion without contents, one for each person; every other one has the task's title. */
export function toRemovedTask({ type, taskId, change }: TaskEvent): RemovedTask | undefined {
  const before = change?.before;
  if (type !== TaskEventType.DELETED || before === undefined || before.title !== '') return undefined;
  return { taskId, recipientId: before.assigneeId };
}
