import { TaskPriority, TaskStatus, type Task } from '#contract/tasks/v1/tasks';

const letters: Partial<Record<TaskPriority, string>> = { [TaskPriority.URGENT]: 'A', [TaskPriority.HIGH]: 'B', [TaskPriority.MEDIUM]: 'C', [TaskPriority.LOW]: 'D' };
const statusKeys: Partial<Record<TaskStatus, string>> = { [TaskStatus.IN_PROGRESS]: 'status:in_progress', [TaskStatus.CANCELLED]: 'status:cancelled' };

function dayOf(time: Date | undefined): string[] {
  return time === undefined ? [] : [time.toISOString().slice(0, 10)];
}

function dueMarks({ dueDate, dueZone, dueTime }: Task): string[] {
  if (dueDate !== '') return dueZone === 'UTC' ? [`due:${dueDate}`] : [`due:${dueDate}`, `tz:${dueZone}`];
  return dueTime === undefined ? [] : [`due:${dueTime.toISOString()}`];
}

/** Contexts keep their @; a label is one word here. */
function toLabel(label: string): string {
  const word = label.replaceAll(/\s+/g, '_');
  return /^@\S/.test(word) ? word : `+${word}`;
}

/** What stands before the title keeps its first word from being taken for a mark. */
function beginning(task: Task): string[] {
  const letter = letters[task.priority] ?? 'C';
  const created = dayOf(task.createTime);
  if (task.status === TaskStatus.COMPLETED) return ['x', ...dayOf(task.completeTime), ...created];
  return [`(${letter})`, ...created];
}

/** One line, with its end. */
export function writeTodoTxt(task: Task): string {
  const completed = task.status === TaskStatus.COMPLETED;
  const priority = completed ? [`pri:${letters[task.priority] ?? 'C'}`] : [];
  const words = [...beginning(task), task.title, ...task.labels.map(toLabel), ...dueMarks(task), ...priority, statusKeys[task.status] ?? ''];
  return `${words.filter((word) => word !== '').join(' ')}\n`;
}
