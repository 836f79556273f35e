import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toBinary } from '@bufbuild/protobuf';
import { create as createMessage } from '#client/index';
import { CreateTaskRequestSchema, TaskPriority, TaskStatus } from '#client/tasks';
import { CreateTaskRequest } from '#contract/tasks/v1/tasks';
import { readCreateTask } from '../src/rpc/task.requests.ts';
import { draft, type TaskDraft } from './any-task.ts';
import type { FileTask, StoredTask } from './file-task.ts';
import { formatNames, formats, type FormatName } from './formats.ts';
import { readWhole } from './read-whole.ts';
import { toTaskMessage } from './task-messages.ts';

const { PENDING, COMPLETED } = TaskStatus;

/** As the service keeps it; undefined for what CreateTask refuses. */
function create(fields: TaskDraft, index: number): StoredTask | undefined {
  const copyOf = fields.externalId === 'taskflow:' ? `00000000-0000-7000-8000-0000000000f${index}` : '';
  try {
    const task = toTaskMessage({ ...fields, externalId: fields.externalId + copyOf });
    const sent = toBinary(CreateTaskRequestSchema, createMessage(CreateTaskRequestSchema, { task }));
    const {
      title,
      description: told,
      labels,
      externalId,
      dueTime,
      dueDay,
    } = readCreateTask(CreateTaskRequest.decode(sent)).fields;
    const at = new Date('2026-01-02T03:04:05Z');
    return {
      ...{ title, description: told, labels, status: fields.status, priority: fields.priority },
      due: dueDay ?? (dueTime === null ? undefined : { time: dueTime }),
      externalId: externalId ?? '',
      id: `00000000-0000-7000-8000-00000000000${index}`,
      createTime: at,
      updateTime: at,
      completeTime: fields.status === COMPLETED ? at : undefined,
    };
  } catch {
    return undefined;
  }
}

const plain: StoredTask = {
  ...{ id: '00000000-0000-7000-8000-000000000000', externalId: '', title: 'x', description: '', labels: [] },
  ...{ status: PENDING, priority: TaskPriority.MEDIUM, due: undefined },
  ...{ createTime: undefined, updateTime: undefined, completeTime: undefined },
};

const tasks = fc
  .array(draft, { maxLength: 5 })
  .map((drafts) => drafts.map(create).filter((task) => task !== undefined));

/** The service keeps labels sorted. */
function toFileTask({ title, description: told, status, priority, due: when, labels }: StoredTask): FileTask {
  return { title, description: told, status, priority, due: when, labels: [...labels].sort() };
}

/** What may differ, and by which words it has to be named. */
const allowed: Record<FormatName, Partial<Record<keyof FileTask, RegExp>>> = {
  'todo.txt': { description: /without its description/, labels: /with the label/ },
  todoist: { status: /as not begun/, labels: /with the label/ },
  ics: { description: /line breaks/ },
};

function unnamedDifferences(
  name: FormatName,
  before: FileTask,
  after: FileTask | undefined,
  losses: readonly string[],
): string[] {
  const fields = Object.keys(before) as (keyof FileTask)[];
  return fields.filter(
    (field) =>
      JSON.stringify(before[field]) !== JSON.stringify(after?.[field]) &&
      !losses.some((loss) => allowed[name][field]?.test(loss)),
  );
}

describe.each(formatNames)('whatever CreateTask accepts and %s is written for', (name) => {
  const { header, footer, fits, write } = formats[name];
  it('is read as it was, or what is not is named', async () => {
    await fc.assert(
      fc.asyncProperty(tasks, async (all) => {
        const fitting = all.filter(fits);
        const written = fitting.map(write);
        const file = await readWhole(
          name,
          header + written.map(({ text: lines }) => lines).join('') + footer,
          { zone: 'Asia/Tokyo' },
          50,
        );
        const read = file.tasks.map(({ title, description: told, status, priority, due: when, labels }) => ({
          title,
          description: told,
          status,
          priority,
          due: when,
          labels: labels.sort(),
        }));
        // Two tasks may have come with the same id; that is named.
        if (file.malformed.length > 0)
          return expect(file.malformed.map(({ problem }) => problem)).toEqual(
            file.malformed.map(() => 'the same id stands in the file before'),
          );
        expect(read).toHaveLength(fitting.length);
        return expect(
          fitting.map((task, index) =>
            unnamedDifferences(name, toFileTask(task), read[index], written[index]?.losses ?? []),
          ),
        ).toEqual(fitting.map(() => []));
      }),
      { seed: 20_261_123, numRuns: 250 },
    );
  });

  it('has no line of iCalendar over 75 octets, and no cell that is a formula', () => {
    fc.assert(
      fc.property(tasks, (all) => {
        const lines = all
          .filter(fits)
          .map((task) => write(task).text)
          .join('');
        if (name === 'ics')
          expect(lines.split('\r\n').filter((line) => Buffer.byteLength(line) > 75 || !line.isWellFormed())).toEqual(
            [],
          );
        if (name === 'todoist') expect(lines).not.toMatch(/(^|,)"[=+\-@\t\r]/m);
      }),
      { seed: 20_261_123, numRuns: 100 },
    );
  });

  it('is known again by the id of its task, also as a copy in another account', async () => {
    const id = '00000000-0000-7000-8000-00000000000a';
    const readId = async (task: Partial<StoredTask>) =>
      (await readWhole(name, header + write({ ...plain, ...task }).text + footer)).tasks[0];
    const first = await readId({ id });
    const copy = await readId({ id: '00000000-0000-7000-8000-00000000000b', externalId: first?.externalId ?? '' });
    expect([first, copy].map((task) => [task?.taskId, task?.externalId])).toEqual([
      [id, `taskflow:${id}`],
      [id, `taskflow:${id}`],
    ]);
  });
});

it('a task that came from an iCalendar file keeps its UID', async () => {
  const task = { ...plain, externalId: 'ics:7f3a@example.com' };
  const { header, write, footer } = formats.ics;
  const content = header + write(task).text + footer;
  expect(content).toContain('UID:7f3a@example.com\r\n');
  expect((await readWhole('ics', content)).tasks[0]?.externalId).toBe(task.externalId);
});
