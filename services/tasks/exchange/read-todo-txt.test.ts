import { describe, expect, it } from '@jest/globals';
import { TaskPriority, TaskStatus } from '#client/tasks';
import { readWhole, type TaskFile } from './read-whole.ts';

const read = async (content: string, zone = 'UTC'): Promise<TaskFile> => readWhole('todo.txt', content, { zone });

async function only(content: string) {
  const { tasks, malformed } = await read(content);
  expect(malformed).toEqual([]);
  expect(tasks).toHaveLength(1);
  return tasks[0];
}

describe('readTodoTxt', () => {
  it('reads priority, dates, projects, contexts and due date of a line', async () => {
    expect(await only('(A) 2026-10-01 Call the plumber +House @phone due:2026-10-02')).toMatchObject({
      place: ':1',
      title: 'Call the plumber',
      priority: TaskPriority.URGENT,
      status: TaskStatus.PENDING,
      labels: ['House', '@phone'],
      due: { date: '2026-10-02', zone: 'UTC' },
    });
  });

  it('reads a completed line with completion and creation date', async () => {
    expect(await only('x 2026-10-03 2026-10-01 Pay the rent +House')).toMatchObject({
      title: 'Pay the rent',
      status: TaskStatus.COMPLETED,
      labels: ['House'],
    });
  });

  it('takes B as high, C as medium, the rest as low, and none as medium', async () => {
    const { tasks } = await read('(B) b\n(C) c\n(Z) z\nnone');
    expect(tasks.map((task) => task.priority)).toEqual([
      TaskPriority.HIGH,
      TaskPriority.MEDIUM,
      TaskPriority.LOW,
      TaskPriority.MEDIUM,
    ]);
  });

  it('reports malformed lines with their numbers and reads the rest', async () => {
    const { tasks, malformed } = await read(
      'ok one\n\ndue tomorrow due:2026-02-30\n(A) +Only @labels\nx 2026-99-01 done\nok two\n',
    );
    expect(tasks.map((task) => task.place)).toEqual([':1', ':6']);
    expect(malformed).toEqual([
      { place: ':3', problem: 'the due date "2026-02-30" is not a date like 2026-11-30' },
      { place: ':4', problem: 'no text' },
      { place: ':5', problem: 'the date "2026-99-01" is not a date like 2026-11-30' },
    ]);
  });

  it('reads days and times in the zone that is named, and else in that of the reader', async () => {
    const { tasks } = await read(
      'a due:2026-03-29 tz:Europe/Berlin\nb due:2026-03-29\nc due:2026-07-01T09:30\nd due:2026-07-01T09:30:00Z\ne due:2026-07-01T09:30+05:30',
      'America/New_York',
    );
    expect(tasks.map(({ due }) => due)).toEqual([
      { date: '2026-03-29', zone: 'Europe/Berlin' },
      { date: '2026-03-29', zone: 'America/New_York' },
      { time: new Date('2026-07-01T13:30:00Z') },
      { time: new Date('2026-07-01T09:30:00Z') },
      { time: new Date('2026-07-01T04:00:00Z') },
    ]);
  });

  it('reads the keys that stand for what the format lacks, and leaves others in the text', async () => {
    expect(await only('Paint the fence status:in_progress')).toMatchObject({
      title: 'Paint the fence',
      status: TaskStatus.IN_PROGRESS,
    });
    expect(await only('x 2026-10-01 Buy a boat pri:A status:cancelled')).toMatchObject({
      title: 'Buy a boat',
      status: TaskStatus.CANCELLED,
      priority: TaskPriority.URGENT,
    });
    expect(await only('Ask for status:unknown in tz:Nowhere')).toMatchObject({
      title: 'Ask for status:unknown in tz:Nowhere',
      status: TaskStatus.PENDING,
    });
  });

  it('gives the same line the same id in every reading, and identical lines different ones', async () => {
    const first = (await read('milk\nbread\nmilk')).tasks.map((task) => task.externalId);
    const second = (await read('bread\nmilk\r\nmilk\n')).tasks.map((task) => task.externalId);
    expect(new Set(first).size).toBe(3);
    expect(new Set(second)).toEqual(new Set(first));
  });

  it('keeps text that is too long for a title whole in the description', async () => {
    const text = 'word '.repeat(60).trim();
    const task = await only(text);
    expect([...(task?.title ?? '')]).toHaveLength(200);
    expect(task?.description).toBe(text);
  });

  it('takes a priority-like or date-like word inside the text as text', async () => {
    expect(await only('Meet (A) on 2026-10-01')).toMatchObject({
      title: 'Meet (A) on 2026-10-01',
      priority: TaskPriority.MEDIUM,
      due: undefined,
    });
  });
});
