import { describe, expect, it } from '@jest/globals';
import { TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import type { TaskFile } from './file-task.ts';
import { readIcal } from './read-ical.ts';

const calendar = (...lines: string[]): string => ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');
const todo = (uid: string, ...lines: string[]): string[] => ['BEGIN:VTODO', `UID:${uid}`, 'SUMMARY:x', ...lines, 'END:VTODO'];
const read = (...lines: string[]): TaskFile => readIcal(calendar(...lines), { zone: 'Asia/Tokyo' });

function only(...lines: string[]) {
  const { tasks, malformed } = read(...lines);
  expect(malformed).toEqual([]);
  expect(tasks).toHaveLength(1);
  return tasks[0];
}

const dueOf = (...lines: string[]) => only(...todo('a', ...lines))?.due;

/** A zone whose name nobody knows: five hours behind, always. */
const ownZone = ['BEGIN:VTIMEZONE', 'TZID:My zone', 'BEGIN:STANDARD', 'DTSTART:19700101T000000', 'TZOFFSETFROM:-0500', 'TZOFFSETTO:-0500', 'END:STANDARD', 'END:VTIMEZONE'];

describe('readIcal', () => {
  it('reads summary, description, status, priority, categories and UID, folded or escaped as they are', () => {
    expect(only('BEGIN:VTODO', 'UID:7f3a@example.com', 'SUMMARY:Call\\, then', '  wait', 'DESCRIPTION:two\\nlines', 'STATUS:IN-PROCESS', 'PRIORITY:1', 'CATEGORIES:a\\,b,c', 'CATEGORIES:d', 'END:VTODO')).toEqual({
      place: ': UID 7f3a@example.com',
      externalId: 'ics:7f3a@example.com',
      title: 'Call, then wait',
      description: 'two\nlines',
      status: TaskStatus.IN_PROGRESS,
      priority: TaskPriority.URGENT,
      due: undefined,
      labels: ['a,b', 'c', 'd'],
    });
  });

  it('takes what is done without a status as completed', () => {
    expect(only(...todo('a', 'COMPLETED:20260101T000000Z'))?.status).toBe(TaskStatus.COMPLETED);
    expect(only(...todo('a', 'PERCENT-COMPLETE:100'))?.status).toBe(TaskStatus.COMPLETED);
    expect(only(...todo('a'))?.status).toBe(TaskStatus.PENDING);
  });

  it('takes 1 as urgent, up to 4 as high, from 6 as low, and 5 and none as medium', () => {
    const priorities = [0, 1, 2, 4, 5, 6, 9].map((number) => only(...todo('a', `PRIORITY:${number}`))?.priority);
    const { URGENT, HIGH, MEDIUM, LOW } = TaskPriority;
    expect([...priorities, only(...todo('a'))?.priority]).toEqual([MEDIUM, URGENT, HIGH, HIGH, MEDIUM, LOW, LOW, MEDIUM]);
  });

  it('reads instants, days, zones by name or as the file describes them, and durations', () => {
    expect(dueOf('DUE:20260329T090000Z')).toEqual({ time: new Date('2026-03-29T09:00:00Z') });
    expect(dueOf('DUE;TZID=Europe/Berlin:20260329T090000')).toEqual({ time: new Date('2026-03-29T07:00:00Z') });
    expect(dueOf('DUE;TZID=/citadel.org/20260101_1/Europe/Berlin:20260328T090000')).toEqual({ time: new Date('2026-03-28T08:00:00Z') });
    expect(dueOf('DUE:20260329T090000')).toEqual({ time: new Date('2026-03-29T00:00:00Z') });
    expect(dueOf('DUE;VALUE=DATE:20260329')).toEqual({ date: '2026-03-29', zone: 'Asia/Tokyo' });
    expect(dueOf('DUE;VALUE=DATE;X-TASKFLOW-ZONE=Europe/Berlin:20260329')).toEqual({ date: '2026-03-29', zone: 'Europe/Berlin' });
    expect(dueOf('DTSTART:20260329T090000Z', 'DURATION:PT90M')).toEqual({ time: new Date('2026-03-29T10:30:00Z') });
    expect(dueOf('DTSTART:20260329T090000Z')).toBeUndefined();
    expect(only(...ownZone, ...todo('a', 'DUE;TZID=My zone:20260329T090000'))?.due).toEqual({ time: new Date('2026-03-29T14:00:00Z') });
    expect(only('X-WR-TIMEZONE:Europe/Paris', ...todo('a', 'DUE;VALUE=DATE:20260329'))?.due).toEqual({ date: '2026-03-29', zone: 'Europe/Paris' });
  });

  it('says of a component that it cannot take why, with its UID, and reads the rest', () => {
    const { tasks, malformed } = read(
      ...todo('fine'),
      ...todo('zone', 'DUE;TZID=Mars/Base:20260329T090000'),
      ...todo('date', 'DUE:2026-03-29'),
      ...todo('status', 'STATUS:MAYBE'),
      ...todo('priority', 'PRIORITY:10'),
      ...todo('fine', 'DESCRIPTION:again'),
      ...todo('repeating', 'RECURRENCE-ID:20260329T090000Z'),
      'BEGIN:VTODO',
      'END:VTODO',
      'BEGIN:VEVENT',
      'UID:event',
      'END:VEVENT',
    );
    expect(tasks.map(({ place }) => place)).toEqual([': UID fine']);
    expect(malformed).toEqual([
      { place: ': UID zone', problem: 'TZID "Mars/Base" is neither a zone that is known nor described in the file' },
      { place: ': UID date', problem: expect.stringContaining('invalid date-time value') },
      { place: ': UID status', problem: 'STATUS "MAYBE" is not one of a task' },
      { place: ': UID priority', problem: 'PRIORITY "10" is not a number from 0 to 9' },
      { place: ': UID fine', problem: 'the same UID stands in the file before' },
      { place: ': UID repeating', problem: 'is one occurrence of a repeating task: only the task itself is taken' },
      { place: ': VTODO 8, which has no UID', problem: 'SUMMARY is empty' },
    ]);
  });

  it('makes an id that the service takes of any UID', () => {
    const ids = [`${'u'.repeat(300)}`, `${'u'.repeat(299)}v`].map((uid) => only(...todo(uid))?.externalId ?? '');
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => id.length <= 128)).toBe(true);
  });

  it('reads every calendar of a file', () => {
    expect(readIcal(calendar(...todo('a')) + calendar(...todo('b')), { zone: 'UTC' }).tasks.map(({ externalId }) => externalId)).toEqual(['ics:a', 'ics:b']);
  });

  it.each([
    ['', 'is no iCalendar file: it does not begin with BEGIN:VCALENDAR'],
    ['(A) a todo.txt', 'is no iCalendar file: it does not begin with BEGIN:VCALENDAR'],
    ['BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:x\r\n', 'is no iCalendar file: invalid ical body'],
    ['BEGIN:VCALENDAR\r\nnonsense\r\nEND:VCALENDAR', 'is no iCalendar file: invalid line'],
    [calendar('X-NAME:\ufffd'), 'is not UTF-8'],
  ])('refuses %j as a whole', (content, message) => {
    expect(() => readIcal(content, { zone: 'UTC' })).toThrow(message);
  });
});
