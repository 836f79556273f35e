import { TaskEventType } from '#contract/tasks/v1/tasks';
import type { Task } from './task.entity.ts';
import { snapshotOf, type TaskWrite } from './task.events.ts';
import { lastPosition, maxPositionLength, positionBetween, spreadBetween } from './task-position.ts';
import type { WriteContext } from './task-writes.ts';

/** A task in the order by hand. */
export interface Placed {
  id: string;
  position: string;
}

/** A part of a project's order by hand, without the task that is to be put into it. */
export interface Surroundings {
  /** In their order, up to the place and behind it. */
  inFront: readonly Placed[];
  behind: readonly Placed[];
  /** Whether these are all that stand in front and behind. */
  isWhole: boolean;
  /** Everything stands in front of it, what is created next at this position or behind it. */
  end: string;
}

export const endOf = (lastNumber: bigint): string => lastPosition(lastNumber + 1n);

/** A position right there; undefined when there is none, or only one that is too long. */
export function positionIn({ inFront, behind, end }: Surroundings): string | undefined {
  const [before, after] = [inFront.at(-1)?.position ?? '', behind[0]?.position ?? end];
  if (before >= after) return undefined;
  const position = positionBetween(before, after);
  return position.length > maxPositionLength ? undefined : position;
}

/** Whether the task stands there already. */
export const standsIn = ({ position }: Pick<Task, 'position'>, { inFront, behind, end }: Surroundings): boolean =>
  position !== null && (inFront.at(-1)?.position ?? '') < position && position < (behind[0]?.position ?? end);

/**
 * New positions for the task and all that stand around it but the outermost two, which bound them; undefined when these
 * stand too close, and more have to be looked at. Positions that were given for ever at one place are short again.
 */
export function spreadIn(taskId: string, { inFront, behind, isWhole, end }: Surroundings): Placed[] | undefined {
  const between = isWhole ? { inFront, behind } : { inFront: inFront.slice(1), behind: behind.slice(0, -1) };
  const ids = [...between.inFront.map(({ id }) => id), taskId, ...between.behind.map(({ id }) => id)];
  const [before, after] = isWhole ? ['', end] : boundsOf({ inFront, behind, end });
  if (before >= after) return undefined;
  const positions = spreadBetween(before, after, ids.length);
  if (!isWhole && positions.some(({ length }) => length > maxPositionLength / 2)) return undefined;
  return ids.map((id, index) => ({ id, position: positions[index] ?? '' }));
}

const boundsOf = ({ inFront, behind, end }: Omit<Surroundings, 'isWhole'>): [string, string] => [
  inFront[0]?.position ?? '',
  behind.at(-1)?.position ?? end,
];

/** Undefined: it is there already. */
export function putOne(
  task: Task,
  position: string,
  { actor, now }: Omit<WriteContext, 'known'>,
): TaskWrite | undefined {
  if (task.position === position) return undefined;
  const before = snapshotOf(task, now);
  task.putAt(position, now);
  return { type: TaskEventType.UPDATED, task, before, actorId: actor.userId, now };
}
