import { NameResolution, type Task as TaskMessage } from '#contract/tasks/v1/tasks';
import type { People } from './people.ts';
import { toMessage } from './task.columns.ts';
import type { Task } from './task.entity.ts';

/** The task as clients see it, without the names of its people. */
export function toTaskMessage(task: Task, now: Date): TaskMessage {
  return toMessage(task, { overdue: task.isOverdueAt(now) });
}

/** The ids of owners and assignees, without repetition. */
export function peopleOf(tasks: TaskMessage[]): string[] {
  return [...new Set(tasks.flatMap((task) => [task.ownerId, task.assigneeId]).filter((id) => id !== ''))];
}

export function withNames(task: TaskMessage, people: People): TaskMessage {
  const { ownerId, assigneeId } = task;
  return {
    ...task,
    ownerName: people.nameOf(ownerId),
    assigneeName: people.nameOf(assigneeId),
    ownerServiceAccount: people.isServiceAccount(ownerId),
    assigneeServiceAccount: people.isServiceAccount(assigneeId),
  };
}

/** The answer of an RPC for one task, after its change. */
export function toTaskAnswer(
  { task, now }: { task: Task; now: Date },
  known: People,
): { task: TaskMessage; nameResolution: NameResolution } {
  const message = toTaskMessage(task, now);
  return { task: withNames(message, known), nameResolution: nameResolutionOf([message], known) };
}

/** Whether all names of these tasks are known. */
export function nameResolutionOf(tasks: TaskMessage[], people: People): NameResolution {
  return people.know(peopleOf(tasks)) ? NameResolution.COMPLETE : NameResolution.UNAVAILABLE;
}
