import { describe, expect, it } from '@jest/globals';
import { TaskPriority, TaskStatus } from '#client/tasks';
import { readWhole, todoistHeader as header, type TaskFile } from './read-whole.ts';

const read = async (...rows: string[]): Promise<TaskFile> => readWhole('todoist', [header, ...rows].join('\n'));

describe('readTodoistCsv', () => {
  it('reads content with labels, description, priority, date and zone', async () => {
    const { tasks, malformed } = await read(
      'task,Call the plumber @phone @house,"two\nlines",1,1,Ada (1),,2026-10-02,en,Europe/Berlin',
    );
    expect(malformed).toEqual([]);
    expect(tasks).toEqual([
      {
        place: ':2',
        externalId: expect.stringMatching(/^todoist:[0-9a-f]{40}$/),
        taskId: undefined,
        title: 'Call the plumber',
        description: 'two\nlines',
        status: TaskStatus.PENDING,
        priority: TaskPriority.URGENT,
        due: { date: '2026-10-02', zone: 'Europe/Berlin' },
        labels: ['phone', 'house'],
      },
    ]);
  });

  it.each([
    ['2026-10-02', { date: '2026-10-02', zone: 'Europe/Berlin' }],
    ['2026-10-02 15:00', { time: new Date('2026-10-02T13:00:00Z') }],
    ['2026-10-02T15:00:30Z', { time: new Date('2026-10-02T15:00:30Z') }],
    ['2 Oct 2026', { date: '2026-10-02', zone: 'Europe/Berlin' }],
    ['October 2, 2026 at 9:05', { time: new Date('2026-10-02T07:05:00Z') }],
  ])('reads the date %s', async (date, due) => {
    expect((await read(`task,x,,4,1,,,"${date}",en,Europe/Berlin`)).tasks[0]?.due).toEqual(due);
  });

  it('makes sections labels, and notes part of the description of their task', async () => {
    const { tasks } = await read(
      'meta,view_style=list',
      'task,first,,4',
      'note,a note',
      'section,Groceries',
      'task,milk @home,buy it,3',
      'note,"another\none"',
      'note,last',
      '',
      'task,bread,,2',
    );
    expect(tasks.map(({ title, description, labels }) => [title, description, labels])).toEqual([
      ['first', 'a note', []],
      ['milk', 'buy it\n\nanother\none\n\nlast', ['Groceries', 'home']],
      ['bread', '', ['Groceries']],
    ]);
  });

  it('says of a row that it cannot take why, with its line and column, and reads the rest', async () => {
    const { tasks, malformed } = await read(
      'task,"several\nlines",,4',
      'task,x,,7',
      'task,@only,,4',
      'task,x,,4,1,,,every day,en,',
      'task,x,,4,1,,,2026-02-30,en,',
      'task,x,,4,1,,,2026-02-20,en,Mars/Base',
      'tusk,x',
      'task,last',
    );
    expect(tasks.map(({ place, title }) => [place, title])).toEqual([
      [':2', 'several lines'],
      [':10', 'last'],
    ]);
    expect(malformed).toEqual([
      { place: ':4', problem: 'PRIORITY "7" is none of 1, 2, 3, 4' },
      { place: ':5', problem: 'CONTENT is empty' },
      { place: ':6', problem: 'DATE "every day" is not a day like 2026-11-30 or a time like 2026-11-30 15:00' },
      { place: ':7', problem: 'DATE "2026-02-30" is not a date like 2026-11-30' },
      { place: ':8', problem: 'TIMEZONE "Mars/Base" is not a time zone like Europe/Berlin' },
      { place: ':9', problem: 'TYPE "tusk" is none of task, section, note' },
    ]);
  });

  it('gives the same row the same id in every reading, and identical rows different ones', async () => {
    const first = (await read('task,milk', 'task,bread', 'task,milk')).tasks.map(({ externalId }) => externalId);
    const second = (await read('task,bread', 'task,milk', 'task,milk')).tasks.map(({ externalId }) => externalId);
    expect(new Set(first).size).toBe(3);
    expect(new Set(second)).toEqual(new Set(first));
  });

  it.each([
    ['', 'is no Todoist export: it is empty'],
    ['title,done\nmilk,no', 'is no Todoist export: its first line has no TYPE and no CONTENT'],
    [`${header}\ntask,"open`, 'is no CSV file: a quote that is opened in line 2 is not closed'],
    [`${header}\nsection,Groceries`, 'holds sections and no task'],
    [`${header},TYPE\ntask,a`, 'its first line has TYPE twice'],
  ])('refuses %j as a whole', async (content, message) => {
    await expect(readWhole('todoist', content)).rejects.toThrow(message);
  });
});
