/*
 * The order by hand: a task's position is a text, compared by code points. A new task gets one behind all others. A task
 * that is moved gets one between those of its neighbours, so nobody else's changes.
 */

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const width = 12;

/** Behind everything that was given or moved in the project before the task of this number was created. */
export const lastPosition = (number: bigint): string => number.toString().padStart(width, '0');

/** A longer one is not given: those around it are spread anew. */
export const maxPositionLength = 64;

const digitAt = (text: string, index: number): number => digits.indexOf(text.charAt(index));

/**
 * A position between two others; `before` '' = in front of all. `before` < `after`. It does not end with the first digit,
 * so that there is always another one in front of it.
 */
export function positionBetween(before: string, after: string): string {
  let common = 0;
  while (
    common < after.length &&
    (digitAt(before, common) < 0 ? 0 : digitAt(before, common)) === digitAt(after, common)
  )
    common += 1;
  const [low, high] = [Math.max(digitAt(before, common), 0), digitAt(after, common)];
  const prefix = after.slice(0, common);
  if (high - low > 1) return prefix + digits.charAt((low + high) >> 1);
  // Nothing fits between the two digits: it goes on behind the lower one, as far up as there is room.
  return prefix + digits.charAt(low) + behind(before.slice(common + 1));
}

/** A text behind another one, and in front of everything that is longer than it and begins with the last digit. */
function behind(text: string): string {
  let common = 0;
  while (digitAt(text, common) === digits.length - 1) common += 1;
  const low = Math.max(digitAt(text, common), 0);
  return text.slice(0, common) + digits.charAt((low + digits.length) >> 1);
}

/** Positions in their order, between two others, as short as there is room for. */
export function spreadBetween(before: string, after: string, count: number): string[] {
  if (count === 0) return [];
  const middle = positionBetween(before, after);
  const half = Math.floor((count - 1) / 2);
  return [...spreadBetween(before, middle, half), middle, ...spreadBetween(middle, after, count - 1 - half)];
}
