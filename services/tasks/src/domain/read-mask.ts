import { toColumnName } from '#libs/db';
import { Task } from '#contract/tasks/v1/tasks';

/** Masks name the two members of `due`, not the oneof itself. */
type Field = Exclude<keyof Task, 'due'> | 'dueTime' | 'dueDay';

/** Fields of a task by their names in a mask. */
const fieldsByPath: ReadonlyMap<string, Field> = new Map(
  [
    ...(Object.keys(Task.fromPartial({})) as (keyof Task)[]).filter((field) => field !== 'due'),
    'dueTime' as const,
    'dueDay' as const,
  ].map((field) => [toColumnName(field), field]),
);

/** The fields of tasks in an answer. */
export type ReadMask = ReadonlySet<Field>;

export const everyField: ReadMask = new Set(fieldsByPath.values());

export function isReadable(path: string): boolean {
  return fieldsByPath.has(path);
}

/** Without paths the mask has every field. The id is always in it. */
export function toReadMask(paths: readonly string[]): ReadMask {
  if (paths.length === 0) return everyField;
  return new Set<Field>(['id', ...paths.flatMap((path) => fieldsByPath.get(path) ?? [])]);
}

/** A task with only these fields; of `due`, the one that is set. */
export function pickFields({ due, ...task }: Task, fields: ReadonlySet<string>): Partial<Task> {
  const picked: Partial<Task> = Object.fromEntries(Object.entries(task).filter(([name]) => fields.has(name)));
  return due !== undefined && fields.has(due.$case) ? { ...picked, due } : picked;
}

/** The other fields are unset. */
export function maskTask(task: Task, mask: ReadMask): Task {
  return mask === everyField ? task : Task.fromPartial(pickFields(task, mask));
}

const asksForOwner = (mask: ReadMask): boolean => mask.has('ownerName') || mask.has('ownerServiceAccount');
const asksForAssignee = (mask: ReadMask): boolean => mask.has('assigneeName') || mask.has('assigneeServiceAccount');

/** The ids of the people whose names the mask asks for, without repetition. */
export function namedPeople(tasks: readonly Task[], mask: ReadMask): string[] {
  const ids = tasks.flatMap((task) => [
    asksForOwner(mask) ? task.ownerId : '',
    asksForAssignee(mask) ? task.assigneeId : '',
  ]);
  return [...new Set(ids.filter((id) => id !== ''))];
}

export function asksForNames(mask: ReadMask): boolean {
  return asksForOwner(mask) || asksForAssignee(mask);
}
