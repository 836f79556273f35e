import { describe, expect, it } from '@jest/globals';
import { Task } from '#contract/tasks/v1/tasks';
import { invalidFields } from '#dev/testing';
import { fieldOf, ruleOf } from '#libs/contract';
import { creations, deletions } from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';

/** Every limit that the contract declares of a field. */
function declaredOf(name: string): unknown[] {
  const [message = '', field = ''] = name.split('.');
  const { maxLength, maxItems, pattern, also } = ruleOf(fieldOf(`taskflow.tasks.v1.${message}`, field)) ?? {};
  const numbers = [pattern, also].flatMap((text) => [...(text ?? '').matchAll(/\d+/g)].map(Number));
  return [maxLength, maxItems, ...numbers];
}

const ids = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `0198c0de-0000-7000-8000-${String(index).padStart(12, '0')}`);
const titled = (count: number): Task[] => ids(count).map((title) => Task.fromPartial({ title }));
const long = (length: number): string => 'x'.repeat(length);
const different = (count: number): string[] => Array.from({ length: count }, (_, index) => `l${index}`);

describe('G4 the limit of a field', () => {
  const service = useTasks();
  const [user] = useUsers(service, 'user');

  const create = (fields: Partial<Task>, requestId = ''): Promise<unknown> =>
    service.tasks.createTask(
      { task: Task.fromPartial({ title: 'x', ...fields }), requestId, validateOnly: true },
      user.as,
    );
  const sortKeys = ['create_time', 'update_time', 'due_time', 'priority'];

  /** The field, its limit, what is sent with so much in it, and the name that a refusal gives. */
  const limits: [string, number, (size: number) => Promise<unknown>, string][] = [
    ['Task.title', 200, (size) => create({ title: long(size) }), 'task.title'],
    ['Task.description', 10_000, (size) => create({ description: long(size) }), 'task.description'],
    ['Task.labels', 20, (size) => create({ labels: different(size) }), 'task.labels'],
    ['Task.labels', 50, (size) => create({ labels: [long(size)] }), 'task.labels[0]'],
    ['Task.external_id', 128, (size) => create({ externalId: long(size) }), 'task.external_id'],
    ['CreateTaskRequest.request_id', 128, (size) => create({}, long(size)), 'request_id'],
    ['ListTasksRequest.labels', 20, (size) => service.tasks.listTasks({ labels: different(size) }, user.as), 'labels'],
    ['ListTasksRequest.text', 200, (size) => service.tasks.listTasks({ text: long(size) }, user.as), 'text'],
    [
      'ListTasksRequest.order_by',
      3,
      (size) => service.tasks.listTasks({ orderBy: sortKeys.slice(0, size).join(', ') }, user.as),
      'order_by',
    ],
    [
      'BatchGetTasksRequest.task_ids',
      500,
      (size) => service.tasks.batchGetTasks({ taskIds: ids(size), allowPartial: true }, user.as),
      'task_ids',
    ],
    [
      'BatchCreateTasksRequest.requests',
      500,
      (size) => service.tasks.batchCreateTasks({ requests: creations(titled(size)), validateOnly: true }, user.as),
      'requests',
    ],
    [
      'BatchUpdateTasksRequest.requests',
      500,
      (size) =>
        service.tasks.batchUpdateTasks(
          {
            requests: ids(size).map((id) => ({
              task: Task.fromPartial({ id, title: 'x' }),
              updateMask: ['title'],
            })) as never,
            allowPartial: true,
          },
          user.as,
        ),
      'requests',
    ],
    [
      'BatchDeleteTasksRequest.requests',
      500,
      (size) => service.tasks.batchDeleteTasks({ requests: deletions(ids(size)), allowPartial: true }, user.as),
      'requests',
    ],
  ];

  it.each(limits)(
    '%s is %i: the contract says so, so much is taken, and one more is refused',
    async (field, limit, send, refusedAs) => {
      expect(declaredOf(field)).toContain(limit);
      await send(limit);
      expect(await invalidFields(send(limit + 1))).toEqual([refusedAs]);
    },
  );

  it('Q1 of a page is 500: more is taken as that, and less than nothing refused', async () => {
    expect(ruleOf(fieldOf('taskflow.tasks.v1.ListTasksRequest', 'page_size'))).toMatchObject({
      min: 0,
      max: 500,
      clamped: true,
    });
    const owner = await service.newUser();
    await service.tasks.batchCreateTasks({ requests: creations(titled(500)) }, owner.as);
    await service.tasks.batchCreateTasks({ requests: creations(titled(1)) }, owner.as);
    const page = await service.tasks.listTasks({ pageSize: 501 }, owner.as);
    expect([page.tasks.length, page.nextPageToken === '']).toEqual([500, false]);
    expect(await invalidFields(service.tasks.listTasks({ pageSize: -1 }, owner.as))).toEqual(['page_size']);
  });
});
