import { readFileSync, statSync } from 'node:fs';

/** The text of a log file so far; empty when there is none. */
export function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A place in a log file, which keeps the lines of earlier runs. */
export interface LogPlace {
  path: string;
  /** What is before it is of an earlier run. */
  fromByte: number;
}

/** Where a run that begins now will write. */
export function endOfLog(path: string): LogPlace {
  return { path, fromByte: statSync(path, { throwIfNoEntry: false })?.size ?? 0 };
}

/** The end of what a run has written, for an error message. */
export function lastLines({ path, fromByte }: LogPlace, count = 15): string {
  const text = Buffer.from(readLog(path)).subarray(fromByte).toString().trimEnd();
  if (text === '') return '  (nothing)';
  return text
    .split('\n')
    .slice(-count)
    .map((line) => `  ${line}`)
    .join('\n');
}
