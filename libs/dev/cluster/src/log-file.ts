import { readFileSync } from 'node:fs';

/** The text of a log file so far; empty when there is none. */
export function readLog(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The end of a log file, for an error message. */
export function lastLines(path: string, count = 15): string {
  const lines = readLog(path).trimEnd().split('\n').slice(-count);
  return lines.map((line) => `  ${line}`).join('\n');
}
