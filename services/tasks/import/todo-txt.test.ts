import { describe, expect, it } from '@jest/globals';
import { parseTodoTxt } from './todo-txt.ts';

function only(content: string) {
  const { tasks, malformed } = parseTodoTxt(content);
  expect(malformed).toEqual([]);
  expect(tasks).toHaveLength(1);
  return tasks[0];
}

describe('parseTodoTxt', () => {
  it('reads priority, dates, projects, contexts and due date of a line', () => {
    expect(only('(A) 2026-10-01 Call the plumber +House @phone due:2026-10-02')).toMatchObject({
      line: 1,
      title: 'Call the plumber',
      priority: 'URGENT',
      completed: false,
      labels: ['House', '@phone'],
      dueTime: new Date('2026-10-02T23:59:59.999Z'),
    });
  });

  it('reads a completed line with completion and creation date', () => {
    expect(only('x 2026-10-03 2026-10-01 Pay the rent +House')).toMatchObject({ title: 'Pay the rent', completed: true, labels: ['House'] });
  });

  it('takes B as high, C as medium, the rest as low, and none as medium', () => {
    const { tasks } = parseTodoTxt('(B) b\n(C) c\n(Z) z\nnone');
    expect(tasks.map((task) => task.priority)).toEqual(['HIGH', 'MEDIUM', 'LOW', 'MEDIUM']);
  });

  it('reports malformed lines with their numbers and reads the rest', () => {
    const { tasks, malformed } = parseTodoTxt('ok one\n\ndue tomorrow due:2026-02-30\n(A) +Only @labels\nx 2026-99-01 done\nok two\n');
    expect(tasks.map((task) => task.line)).toEqual([1, 6]);
    expect(malformed).toEqual([
      { line: 3, problem: 'the due date "2026-02-30" is not a date like 2026-11-30' },
      { line: 4, problem: 'no text' },
      { line: 5, problem: 'the date "2026-99-01" is not a date like 2026-11-30' },
    ]);
  });

  it('gives the same line the same id in every reading, and identical lines different ones', () => {
    const first = parseTodoTxt('milk\nbread\nmilk').tasks.map((task) => task.externalId);
    const second = parseTodoTxt('bread\nmilk\r\nmilk\n').tasks.map((task) => task.externalId);
    expect(new Set(first).size).toBe(3);
    expect(new Set(second)).toEqual(new Set(first));
  });

  it('keeps text that is too long for a title whole in the description', () => {
    const text = 'word '.repeat(60).trim();
    const task = only(text);
    expect([...(task?.title ?? '')]).toHaveLength(200);
    expect(task?.description).toBe(text);
  });

  it('takes a priority-like or date-like word inside the text as text', () => {
    expect(only('Meet (A) on 2026-10-01')).toMatchObject({ title: 'Meet (A) on 2026-10-01', priority: 'MEDIUM', dueTime: undefined });
  });
});
