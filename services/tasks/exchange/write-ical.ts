import { TaskPriority, TaskStatus } from '#client/tasks';
import { uidOf } from './file-ids.ts';
import { millisecondsParameter, zoneParameter } from './ical-due.ts';
import type { StoredTask } from './file-task.ts';
import { escapeText, writeLine } from './ical-lines.ts';
import type { WrittenTask } from './written-task.ts';

const statuses: Partial<Record<TaskStatus, string>> = {
  [TaskStatus.PENDING]: 'NEEDS-ACTION',
  [TaskStatus.IN_PROGRESS]: 'IN-PROCESS',
  [TaskStatus.COMPLETED]: 'COMPLETED',
  [TaskStatus.CANCELLED]: 'CANCELLED',
};
const priorities: Partial<Record<TaskPriority, number>> = {
  [TaskPriority.URGENT]: 1,
  [TaskPriority.HIGH]: 3,
  [TaskPriority.MEDIUM]: 5,
  [TaskPriority.LOW]: 9,
};

export const icalHeader = 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//TaskFlow//tasks//EN\r\n';
export const icalFooter = 'END:VCALENDAR\r\n';

/** In UTC, whole seconds. */
function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

function writeTime(name: string, time: Date | undefined): string {
  return time === undefined ? '' : writeLine(name, formatTime(time));
}

function writeDue(task: StoredTask): string {
  const { due } = task;
  if (due === undefined) return '';
  if ('date' in due) return writeLine(`DUE;VALUE=DATE;${zoneParameter}=${due.zone}`, due.date.replaceAll('-', ''));
  const milliseconds = due.time.getUTCMilliseconds();
  return writeTime(milliseconds === 0 ? 'DUE' : `DUE;${millisecondsParameter}=${milliseconds}`, due.time);
}

/** One VTODO component, with its end. */
export function writeIcal(task: StoredTask): WrittenTask {
  const description = task.description.replaceAll(/\r\n?/g, '\n');
  const text = [
    'BEGIN:VTODO\r\n',
    writeLine('UID', escapeText(uidOf(task))),
    writeTime('DTSTAMP', task.updateTime),
    writeTime('CREATED', task.createTime),
    writeTime('LAST-MODIFIED', task.updateTime),
    writeLine('SUMMARY', escapeText(task.title)),
    description === '' ? '' : writeLine('DESCRIPTION', escapeText(description)),
    writeLine('STATUS', statuses[task.status] ?? 'NEEDS-ACTION'),
    writeLine('PRIORITY', String(priorities[task.priority] ?? 5)),
    writeDue(task),
    writeTime('COMPLETED', task.completeTime),
    // One property for each label, which every reader understands.
    ...task.labels.map((label) => writeLine('CATEGORIES', escapeText(label))),
    'END:VTODO\r\n',
  ].join('');
  return {
    text,
    losses: description === task.description ? [] : ['with LF as its line breaks, the only ones of iCalendar'],
  };
}
