import { findTimeZone } from '#libs/errors';
import { isTaskId } from './file-ids.ts';

/** Words of the form key:value, which todo.txt leaves to programs, for what it has no place for. */
export const todoTxtKeys = {
  due: 'due:',
  zone: 'tz:',
  priority: 'pri:',
  task: 'taskflow:',
  inProgress: 'status:in_progress',
  cancelled: 'status:cancelled',
} as const;

export function isZoneKey(word: string): boolean {
  return word.startsWith(todoTxtKeys.zone) && findTimeZone(word.slice(todoTxtKeys.zone.length)) !== undefined;
}

function isTaskKey(word: string): boolean {
  return word.startsWith(todoTxtKeys.task) && isTaskId(word.slice(todoTxtKeys.task.length));
}

/** Whether a word is a mark, not text. */
export function isTodoTxtMark(word: string): boolean {
  if (/^[+@]\S/.test(word) || word.startsWith(todoTxtKeys.due) || /^pri:[A-Z]$/.test(word)) return true;
  return word === todoTxtKeys.inProgress || word === todoTxtKeys.cancelled || isZoneKey(word) || isTaskKey(word);
}
