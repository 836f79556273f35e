const units = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const;

/** "366 days" */
function spanText(ms: number): string {
  const [size, name] = units.find(([unit]) => ms >= unit && ms % unit === 0) ?? units[3];
  return `${ms / size} ${name}${ms === size ? '' : 's'}`;
}

/** "1 minute to 366 days", "0 to 7 days", "whole seconds from 1 second to 366 days" */
export function spanRangeText(minMs: number, maxMs: number, wholeSeconds: boolean): string {
  const min = minMs === 0 ? '0' : spanText(minMs);
  return `${wholeSeconds ? 'whole seconds from ' : ''}${min} to ${spanText(maxMs)}`;
}
