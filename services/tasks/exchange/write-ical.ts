import ICAL from 'ical.js';
import { TaskPriority, TaskStatus, type Task } from '#contract/tasks/v1/tasks';
import { uidOf, zoneParameter } from './ical-names.ts';

const statuses: Partial<Record<TaskStatus, string>> = {
  [TaskStatus.PENDING]: 'NEEDS-ACTION',
  [TaskStatus.IN_PROGRESS]: 'IN-PROCESS',
  [TaskStatus.COMPLETED]: 'COMPLETED',
  [TaskStatus.CANCELLED]: 'CANCELLED',
};
const priorities: Partial<Record<TaskPriority, number>> = { [TaskPriority.URGENT]: 1, [TaskPriority.HIGH]: 3, [TaskPriority.MEDIUM]: 5, [TaskPriority.LOW]: 9 };

export const icalHeader = 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//TaskFlow//tasks//EN\r\n';
export const icalFooter = 'END:VCALENDAR\r\n';

function setTime(todo: ICAL.Component, name: string, time: Date | undefined): void {
  if (time !== undefined) todo.updatePropertyWithValue(name, ICAL.Time.fromJSDate(time, true));
}

function setDue(todo: ICAL.Component, { dueDate, dueZone, dueTime }: Task): void {
  if (dueDate === '') return setTime(todo, 'due', dueTime);
  todo.updatePropertyWithValue('due', ICAL.Time.fromDateString(dueDate)).setParameter(zoneParameter, dueZone);
}

/** Each in a property of its own: the package, when it reads several from one, takes a backslash at the end of one for an escape. */
function setLabels(todo: ICAL.Component, labels: string[]): void {
  for (const label of labels) todo.addPropertyWithValue('categories', label);
}

/** One VTODO component, with its end. Line breaks become those of iCalendar. */
export function writeIcal(task: Task): string {
  const todo = new ICAL.Component('vtodo');
  todo.updatePropertyWithValue('uid', uidOf(task));
  setTime(todo, 'dtstamp', task.updateTime);
  setTime(todo, 'created', task.createTime);
  setTime(todo, 'last-modified', task.updateTime);
  todo.updatePropertyWithValue('summary', task.title);
  if (task.description !== '') todo.updatePropertyWithValue('description', task.description.replaceAll(/\r\n?/g, '\n'));
  todo.updatePropertyWithValue('status', statuses[task.status] ?? 'NEEDS-ACTION');
  todo.updatePropertyWithValue('priority', priorities[task.priority] ?? 5);
  setDue(todo, task);
  setTime(todo, 'completed', task.completeTime);
  setLabels(todo, task.labels);
  return `${todo.toString()}\r\n`;
}
