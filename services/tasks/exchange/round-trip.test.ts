import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Task, TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import type { FileTask } from './file-task.ts';
import { formats, type FormatName } from './formats.ts';

const { PENDING, IN_PROGRESS, COMPLETED, CANCELLED } = TaskStatus;
const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kolkata', 'Pacific/Apia'];

/** Whatever a title may be: also quotes, commas, escapes, emoji and right-to-left text. */
const character = fc.oneof(fc.constantFrom(...'abcXYZ019 ,;:"\'\\/()[]{}<>=|&%$#!?*~`^_-.\u00a0éß漢🙂ا+@'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }));
const forbidden = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffd]/;
const line = (max: number) =>
  fc
    .array(character, { minLength: 1, maxLength: max })
    .map((characters) => characters.join('').trim())
    .filter((text) => text !== '' && !forbidden.test(text) && text.isWellFormed() && [...text].length <= max);

const paragraphs = fc.array(line(80), { maxLength: 4 }).map((lines) => lines.join('\n'));
const single = line(60).map((text) => text.replaceAll(/\s+/gu, ' ').trim());
/** Words that mean something else in the format stand for it; that is the loss that is documented. */
const withoutMarks = (text: string): boolean => !text.split(/\s+/u).some((word) => /^[+@]|^(due|pri|tz|status):/.test(word));
const oneWord = line(20).map((text) => text.replaceAll(/\s/gu, '') || 'x');

const day = fc.integer({ min: 0, max: 20_000 }).map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10));
const dueOf = (everyMs: number) =>
  fc.oneof(
    fc.constant({}),
    fc.integer({ min: 0, max: Math.floor(250_000_000_000_000 / everyMs) }).map((count) => ({ dueTime: new Date(count * everyMs) })),
    fc.record({ dueDate: day, dueZone: fc.constantFrom(...zones) }),
  );

interface Representable {
  title: fc.Arbitrary<string>;
  description: fc.Arbitrary<string>;
  status: fc.Arbitrary<TaskStatus>;
  label: fc.Arbitrary<string>;
  /** The finest difference between times. */
  everyMs: number;
}

/** What each format has a place for; all else is a documented loss. */
const representable: Record<FormatName, Representable> = {
  'todo.txt': { title: single.filter(withoutMarks), description: fc.constant(''), status: fc.constantFrom(PENDING, IN_PROGRESS, COMPLETED, CANCELLED), label: oneWord, everyMs: 1 },
  todoist: { title: line(60).filter(withoutMarks), description: paragraphs, status: fc.constant(PENDING), label: oneWord, everyMs: 1 },
  ics: { title: line(60), description: paragraphs, status: fc.constantFrom(PENDING, IN_PROGRESS, COMPLETED, CANCELLED), label: line(20), everyMs: 1000 },
};

function tasksOf({ title, description, status, label, everyMs }: Representable): fc.Arbitrary<Task[]> {
  const fields = fc.record({
    title,
    description,
    status,
    priority: fc.constantFrom(TaskPriority.LOW, TaskPriority.MEDIUM, TaskPriority.HIGH, TaskPriority.URGENT),
    labels: fc.uniqueArray(label, { maxLength: 5 }),
    due: dueOf(everyMs),
  });
  const created = new Date('2026-01-02T03:04:05Z');
  return fc.array(fields, { maxLength: 6 }).map((tasks) =>
    tasks.map(({ due, labels, ...task }, index) =>
      Task.fromPartial({
        ...task,
        ...due,
        id: `00000000-0000-7000-8000-00000000000${index}`,
        labels: labels.sort(),
        createTime: created,
        updateTime: created,
        completeTime: task.status === COMPLETED ? created : undefined,
      }),
    ),
  );
}

function toFileTask({ title, description, status, priority, dueTime, dueDate, dueZone, labels }: Task): FileTask {
  const due = dueDate !== '' ? { date: dueDate, zone: dueZone } : dueTime === undefined ? undefined : { time: dueTime };
  return { title, description, status, priority, due, labels };
}

it.each(Object.keys(formats) as FormatName[])('tasks that are written as %s are read as they were, each with an id of its own', (name) => {
  const format = formats[name];
  fc.assert(
    fc.property(tasksOf(representable[name]), (tasks) => {
      const content = format.header + tasks.map((task) => format.write(task)).join('') + format.footer;
      const { tasks: read, malformed } = format.read(content, { zone: 'UTC' });
      expect(malformed).toEqual([]);
      expect(read.map(({ place: _place, externalId: _externalId, labels, ...task }) => ({ ...task, labels: labels.sort() }))).toEqual(tasks.map(toFileTask));
      expect(new Set(read.map(({ externalId }) => externalId)).size).toBe(tasks.length);
    }),
    { seed: 20_261_123, numRuns: 300 },
  );
});

it('a task that came from an iCalendar file keeps its UID', () => {
  const task = Task.fromPartial({ id: '00000000-0000-7000-8000-000000000000', title: 'x', externalId: 'ics:7f3a@example.com', status: PENDING });
  const { read, header, write, footer } = formats.ics;
  const content = header + write(task) + footer;
  expect(content).toContain('UID:7f3a@example.com\r\n');
  expect(read(content, { zone: 'UTC' }).tasks[0]?.externalId).toBe(task.externalId);
});
