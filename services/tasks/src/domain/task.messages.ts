import { NameResolution, Task as TaskMessage } from '#contract/tasks/v1/tasks';
import type { People } from './people.ts';
import { toEtag, type Task } from './task.entity.ts';

/** The task as clients see it, without the names of its people. */
export function toTaskMessage(task: Task, now: Date): TaskMessage {
  return TaskMessage.fromPartial({
    id: task.id,
    ownerId: task.ownerId,
    title: task.title,
    description: task.description,
    status: task.status,
    priority: task.priority,
    dueTime: task.dueTime ?? undefined,
    dueDate: task.dueDate ?? '',
    dueZone: task.dueZone ?? '',
    assigneeId: task.assigneeId ?? '',
    labels: task.labels,
    externalId: task.externalId ?? '',
    etag: toEtag(task.version),
    createTime: task.createTime,
    updateTime: task.updateTime,
    completeTime: task.completeTime ?? undefined,
    deleteTime: task.deleteTime ?? undefined,
    purgeTime: task.purgeTime ?? undefined,
    overdue: task.isOverdueAt(now),
  });
}

/** The people whose names belong to these tasks, each once. */
export function peopleOf(tasks: TaskMessage[]): string[] {
  return [...new Set(tasks.flatMap((task) => [task.ownerId, task.assigneeId]).filter((id) => id !== ''))];
}

export function withNames(task: TaskMessage, people: People): TaskMessage {
  return { ...task, ownerName: people.nameOf(task.ownerId), assigneeName: people.nameOf(task.assigneeId) };
}

/** Whether the names of these tasks could be looked up; a person who was not asked about counts as not. */
export function nameResolutionOf(tasks: TaskMessage[], people: People): NameResolution {
  return people.know(peopleOf(tasks)) ? NameResolution.COMPLETE : NameResolution.UNAVAILABLE;
}
