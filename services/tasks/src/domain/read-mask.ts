import { Task } from '#contract/tasks/v1/tasks';

type Field = keyof Task;

/** Fields of a task by their names in a mask. */
const fieldsByPath: ReadonlyMap<string, Field> = new Map(
  (Object.keys(Task.fromPartial({})) as Field[]).map((field) => [field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), field]),
);

/** The fields of tasks that an answer holds. */
export type ReadMask = ReadonlySet<Field>;

export const everyField: ReadMask = new Set(fieldsByPath.values());

export function isReadable(path: string): boolean {
  return fieldsByPath.has(path);
}

/** No paths at all name every field; the id is always among them. */
export function toReadMask(paths: readonly string[]): ReadMask {
  if (paths.length === 0) return everyField;
  return new Set<Field>(['id', ...paths.flatMap((path) => fieldsByPath.get(path) ?? [])]);
}

/** The other fields are as if they were not set. */
export function maskTask(task: Task, mask: ReadMask): Task {
  if (mask === everyField) return task;
  return Task.fromPartial(Object.fromEntries([...mask].map((field) => [field, task[field]])) as Partial<Task>);
}

/** The people whose names the mask asks for, each once. */
export function namedPeople(tasks: readonly Task[], mask: ReadMask): string[] {
  const ids = tasks.flatMap((task) => [mask.has('ownerName') ? task.ownerId : '', mask.has('assigneeName') ? task.assigneeId : '']);
  return [...new Set(ids.filter((id) => id !== ''))];
}

export function asksForNames(mask: ReadMask): boolean {
  return mask.has('ownerName') || mask.has('assigneeName');
}
