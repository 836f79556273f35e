import { describe, expect, it } from '@jest/globals';
import { TaskPriority, TaskStatus } from '#client/tasks';
import { calendar, fixedZone, readWhole, todo, type TaskFile } from './read-whole.ts';

const read = async (...lines: string[]): Promise<TaskFile> =>
  readWhole('ics', calendar(...lines), { zone: 'Asia/Tokyo' });

async function only(...lines: string[]) {
  const { tasks, malformed } = await read(...lines);
  expect(malformed).toEqual([]);
  expect(tasks).toHaveLength(1);
  return tasks[0];
}

const dueOf = async (...lines: string[]) => (await only(...todo('a', ...lines)))?.due;

/** A zone whose name nobody knows: five hours behind, always. */
const ownZone = fixedZone('My zone', '-0500');

describe('readIcal', () => {
  it('reads summary, description, status, priority, categories and UID, folded or escaped as they are', async () => {
    expect(
      await only(
        'BEGIN:VTODO',
        'UID:7f3a@example.com',
        'SUMMARY:Call\\, then',
        '  wait',
        'DESCRIPTION:two\\nlines',
        'STATUS:IN-PROCESS',
        'PRIORITY:1',
        'CATEGORIES:a\\,b,c',
        'CATEGORIES:d',
        'END:VTODO',
      ),
    ).toEqual({
      place: ':3: UID 7f3a@example.com',
      externalId: 'ics:7f3a@example.com',
      taskId: undefined,
      title: 'Call, then wait',
      description: 'two\nlines',
      status: TaskStatus.IN_PROGRESS,
      priority: TaskPriority.URGENT,
      due: undefined,
      labels: ['a,b', 'c', 'd'],
    });
  });

  it('takes what is done without a status as completed', async () => {
    expect((await only(...todo('a', 'COMPLETED:20260101T000000Z')))?.status).toBe(TaskStatus.COMPLETED);
    expect((await only(...todo('a', 'PERCENT-COMPLETE:100')))?.status).toBe(TaskStatus.COMPLETED);
    expect((await only(...todo('a')))?.status).toBe(TaskStatus.PENDING);
  });

  it('takes 1 as urgent, up to 4 as high, from 6 as low, and 5 and none as medium', async () => {
    const priorities = await Promise.all(
      [0, 1, 2, 4, 5, 6, 9].map(async (number) => (await only(...todo('a', `PRIORITY:${number}`)))?.priority),
    );
    const { URGENT, HIGH, MEDIUM, LOW } = TaskPriority;
    expect([...priorities, (await only(...todo('a')))?.priority]).toEqual([
      MEDIUM,
      URGENT,
      HIGH,
      HIGH,
      MEDIUM,
      LOW,
      LOW,
      MEDIUM,
    ]);
  });

  it('reads instants, days, zones by name or as the file describes them, and durations', async () => {
    expect(await dueOf('DUE:20260329T090000Z')).toEqual({ time: new Date('2026-03-29T09:00:00Z') });
    expect(await dueOf('DUE;TZID=Europe/Berlin:20260329T090000')).toEqual({ time: new Date('2026-03-29T07:00:00Z') });
    expect(await dueOf('DUE;TZID=/citadel.org/20260101_1/Europe/Berlin:20260328T090000')).toEqual({
      time: new Date('2026-03-28T08:00:00Z'),
    });
    expect(await dueOf('DUE:20260329T090000')).toEqual({ time: new Date('2026-03-29T00:00:00Z') });
    expect(await dueOf('DUE;VALUE=DATE:20260329')).toEqual({ date: '2026-03-29', zone: 'Asia/Tokyo' });
    expect(await dueOf('DUE;VALUE=DATE;X-TASKFLOW-ZONE=Europe/Berlin:20260329')).toEqual({
      date: '2026-03-29',
      zone: 'Europe/Berlin',
    });
    expect(await dueOf('DTSTART:20260329T090000Z', 'DURATION:PT90M')).toEqual({
      time: new Date('2026-03-29T10:30:00Z'),
    });
    expect(await dueOf('DTSTART:20260329T090000Z')).toBeUndefined();
    expect((await only(...ownZone, ...todo('a', 'DUE;TZID=My zone:20260329T090000')))?.due).toEqual({
      time: new Date('2026-03-29T14:00:00Z'),
    });
    expect((await only('X-WR-TIMEZONE:Europe/Paris', ...todo('a', 'DUE;VALUE=DATE:20260329')))?.due).toEqual({
      date: '2026-03-29',
      zone: 'Europe/Paris',
    });
  });

  it('says of a component that it cannot take why, with its UID, and reads the rest', async () => {
    const { tasks, malformed } = await read(
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
    expect(tasks.map(({ place }) => place)).toEqual([':3: UID fine']);
    expect(malformed).toEqual([
      {
        place: ':7: UID zone',
        problem: 'TZID "Mars/Base" is neither a zone that is known nor described in the file (line 10)',
      },
      { place: ':12: UID date', problem: 'DUE "2026-03-29" is not a time like 20261130T150000 (line 15)' },
      { place: ':17: UID status', problem: 'STATUS "MAYBE" is not one of a task (line 20)' },
      { place: ':22: UID priority', problem: 'PRIORITY "10" is not a number from 0 to 9 (line 25)' },
      { place: ':27: UID fine', problem: 'the same id stands in the file before' },
      { place: ':32: UID repeating', problem: 'is one occurrence of a repeating task: only the task itself is taken' },
      { place: ':37: VTODO 8, which has no UID', problem: 'SUMMARY is empty' },
    ]);
  });

  it('makes an id that the service takes of any UID', async () => {
    const ids = await Promise.all(
      [`${'u'.repeat(300)}`, `${'u'.repeat(299)}v`].map(async (uid) => (await only(...todo(uid)))?.externalId ?? ''),
    );
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => id.length <= 128)).toBe(true);
  });

  it('reads every calendar of a file', async () => {
    expect(
      (await readWhole('ics', calendar(...todo('a')) + calendar(...todo('b')))).tasks.map(
        ({ externalId }) => externalId,
      ),
    ).toEqual(['ics:a', 'ics:b']);
  });

  it.each([
    ['', 'is no iCalendar file: it does not begin with BEGIN:VCALENDAR'],
    ['(A) a todo.txt', 'is no iCalendar file: it does not begin with BEGIN:VCALENDAR'],
    ['BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nSUMMARY:x\r\n', 'is not whole: VTODO of line 2 does not end'],
    [calendar('BEGIN:VEVENT', 'SUMMARY:x', 'END:VEVENT'), 'holds no task: its 1 VEVENT or VJOURNAL are none'],
  ])('refuses %j as a whole', async (content, message) => {
    await expect(readWhole('ics', content)).rejects.toThrow(message);
  });
});
