import { describe, expect, it } from '@jest/globals';
import {
  CreateTaskRequest,
  ListTasksRequest,
  Task,
  TaskPriority,
  TaskStatus,
  UpdateTaskRequest,
} from '#contract/tasks/v1/tasks';
import { AppError } from '#libs/errors';
import { readListTasks } from './list-tasks.request.ts';
import { readCreateTask, readUpdateTask } from './task.requests.ts';
import { dueAt } from '../../test/due.ts';

function violations(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof AppError) return (error.details.violations ?? []).map(({ field }) => field);
    throw error;
  }
  return [];
}

const id = '0198c0de-0000-7000-8000-000000000001';
const create = (task: Partial<Task>): CreateTaskRequest =>
  CreateTaskRequest.fromPartial({ task: Task.fromPartial({ title: 'x', ...task }) });
const outOfRange = new Date(Number.NaN);

describe('reading requests', () => {
  it('refuses a due time that is no time at all', () => {
    expect(violations(() => readCreateTask(create({ ...dueAt(outOfRange) })))).toEqual(['task.due_time']);
  });

  it('does not look at fields that do not count, however broken', () => {
    const { body } = readCreateTask(create({ createTime: outOfRange, id: '?' }));
    expect(CreateTaskRequest.encode(body).finish()).toEqual(CreateTaskRequest.encode(create({})).finish());
    const update = UpdateTaskRequest.fromPartial({
      task: Task.fromPartial({ id, title: 'x', ...dueAt(outOfRange), assigneeId: '?' }),
      updateMask: ['title'],
    });
    expect(readUpdateTask(update)).toMatchObject({ taskId: id, fields: { title: 'x' } });
  });

  it('takes half a surrogate pair for no character', () => {
    expect(violations(() => readCreateTask(create({ title: '\ud800', description: '\udc00' })))).toEqual([
      'task.title',
      'task.description',
    ]);
  });

  it('takes filters as sets', () => {
    const request = ListTasksRequest.fromPartial({
      statuses: [TaskStatus.COMPLETED, TaskStatus.PENDING, TaskStatus.COMPLETED],
      priorities: [TaskPriority.URGENT],
    });
    expect(readListTasks(request).filter).toMatchObject({
      statuses: [TaskStatus.PENDING, TaskStatus.COMPLETED],
      priorities: [TaskPriority.URGENT],
    });
  });

  it.each([
    ['an unset status', { statuses: [TaskStatus.PENDING, TaskStatus.UNSPECIFIED] }, ['statuses[1]']],
    ['an unknown priority', { priorities: [TaskPriority.UNRECOGNIZED] }, ['priorities[0]']],
    ['a negative page size', { pageSize: -1 }, ['page_size']],
    ['an owner that is no UUID', { ownerId: 'me' }, ['owner_id']],
    ['an assignee that is no UUID', { assigneeId: 'me' }, ['assignee_id']],
    [
      'times that are none',
      { dueStartTime: outOfRange, updateEndTime: new Date(Date.UTC(10_000, 0)) },
      ['due_start_time', 'update_end_time'],
    ],
    ['a label without characters', { labels: ['a', ' '] }, ['labels[1]']],
    ['21 labels', { labels: Array.from({ length: 21 }, (_, index) => `${index}`) }, ['labels']],
    ['a text of 201 characters', { text: 'a'.repeat(201) }, ['text']],
    ['a key that lists are not ordered by', { orderBy: 'title, id' }, ['order_by']],
    ['a direction other than desc', { orderBy: 'title asc' }, ['order_by']],
    ['the same key twice', { orderBy: 'title, title desc' }, ['order_by']],
    ['four keys', { orderBy: 'title, priority, due_time, create_time' }, ['order_by']],
    ['a path in the mask that is no field', { readMask: ['title', 'due_time.seconds'] }, ['read_mask']],
  ])('refuses %s in a list', (_, fields, expected) => {
    expect(violations(() => readListTasks(ListTasksRequest.fromPartial(fields)))).toEqual(expected);
  });

  it.each([
    [0, 50],
    [1, 1],
    [500, 500],
    [501, 500],
    [2_147_483_647, 500],
  ])('takes the page size %i as %i', (asked, taken) => {
    expect(readListTasks(ListTasksRequest.fromPartial({ pageSize: asked })).pageSize).toBe(taken);
  });
});
