import { TaskChange } from '#contract/tasks/v1/tasks';

interface PeopleOfTask {
  ownerId: string;
  assigneeId: string;
}

export function concerns(task: PeopleOfTask | undefined, userId: string): boolean {
  return task !== undefined && (task.ownerId === userId || task.assigneeId === userId);
}

/** Owner and assignee before and after the change, so that former assignees hear of it as well. */
export function audienceOf({ before, after }: TaskChange): string[] {
  const people = [before, after].flatMap((task) => [task?.ownerId, task?.assigneeId]);
  return [...new Set(people.filter((id) => id !== undefined && id !== ''))] as string[];
}

/** The same for a stored event. */
export function audienceOfPayload(payload: Uint8Array): string[] {
  return audienceOf(TaskChange.decode(payload));
}
