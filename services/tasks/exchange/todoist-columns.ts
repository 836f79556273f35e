import { TaskPriority } from '#client/tasks';

/** The columns of Todoist, and TASKFLOW_ID: Todoist has no id for a task in a file. */
export const todoistHeader =
  'TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE,TASKFLOW_ID\n';

export const todoistPriorities: Partial<Record<TaskPriority, string>> = {
  [TaskPriority.URGENT]: '1',
  [TaskPriority.HIGH]: '2',
  [TaskPriority.MEDIUM]: '3',
  [TaskPriority.LOW]: '4',
};

export const isTodoistLabel = (word: string): boolean => /^@\S/.test(word);

/** The beginning of a cell that a spreadsheet takes for a formula, or of one that an apostrophe already guards. */
const formulaStart = /^'*[=+\-@\t\r\n＝＋－＠]/;

/** Spreadsheets take a cell with an apostrophe in front as text. */
export function guardFormula(cell: string): string {
  return formulaStart.test(cell) ? `'${cell}` : cell;
}

export function unguardFormula(cell: string): string {
  return cell.startsWith("'") && formulaStart.test(cell) ? cell.slice(1) : cell;
}
