import { TaskChange } from '#contract/tasks/v1/tasks';

interface PeopleOfTask {
  ownerId: string;
  assigneeId: string;
}

export function concerns(task: PeopleOfTask | undefined, userId: string): boolean {
  return task !== undefined && (task.ownerId === userId || task.assigneeId === userId);
}

/** The owner and the assignee, before and after: also whom the change takes the task away from. */
export function audienceOf({ before, after }: TaskChange): string[] {
  const people = [before, after].flatMap((task) => [task?.ownerId, task?.assigneeId]);
  return [...new Set(people.filter((id) => id !== undefined && id !== ''))] as string[];
}

/** The same, of an event as it is stored. */
export function audienceOfPayload(payload: Uint8Array): string[] {
  return audienceOf(TaskChange.decode(payload));
}
