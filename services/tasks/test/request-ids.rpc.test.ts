import { describe, expect, it } from '@jest/globals';
import { CreateTaskResponse, Task, UpdateTaskResponse } from '#contract/tasks/v1/tasks';
import { refusal, refused } from '#dev/testing';
import { countDifferent, createTask, staleEtag, update } from './factories.ts';
import { useTasks, useUsers } from './start-tasks.ts';

describe('request ids', () => {
  const service = useTasks();
  const [user] = useUsers(service, 'user');

  const create = (requestId: string, title = 'once', as = user.as): Promise<CreateTaskResponse> =>
    service.tasks.createTask({ task: Task.fromPartial({ title }), requestId }, as);
  const countTitled = async (title: string): Promise<number> =>
    (await service.sql('select 1 from tasks where title = $1', [title])).length;

  it('give 20 parallel requests one task, one event and the same bytes', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('parallel', 'parallel')));
    expect(countDifferent(CreateTaskResponse, answers)).toBe(1);
    expect(await countTitled('parallel')).toBe(1);
    expect(await service.sql('select 1 from events where subject_id = $1', [answers[0]?.task?.id])).toHaveLength(1);
  });

  it('are refused with another request, and are each user’s own', async () => {
    await create('reused');
    const error = await refusal(create('reused', 'another'));
    expect([error.kind, error.reason]).toEqual(['invalid_argument', 'REQUEST_ID_REUSED']);
    await create('reused', 'a stranger’s', (await service.newUser()).as);
    expect(await countTitled('another')).toBe(0);
  });

  it('give the first answer again after the task was changed and deleted', async () => {
    const task = await createTask(service, user);
    const rename = update(task.id, { title: 'renamed', etag: task.etag }, ['title'], 'rename');
    const remove = { taskId: task.id, requestId: 'remove' };
    const first = await service.tasks.updateTask(rename, user.as);
    await service.tasks.deleteTask(remove, user.as);

    const again = await service.tasks.updateTask(rename, user.as);
    expect(UpdateTaskResponse.encode(again).finish()).toEqual(UpdateTaskResponse.encode(first).finish());
    expect(await service.tasks.deleteTask(remove, user.as)).toEqual({});
    expect(await service.sql('select 1 from events where subject_id = $1', [task.id])).toHaveLength(3);
  });

  it('are free again when the request failed', async () => {
    const task = await createTask(service, user);
    const stale = update(task.id, { title: 'x', etag: 'stale' }, ['title'], 'failed');
    expect(await refused(service.tasks.updateTask(stale, user.as))).toEqual(staleEtag);
    await service.tasks.updateTask(update(task.id, { title: 'x' }, ['title'], 'failed'), user.as);
  });

  it('of one name do not meet in different methods', async () => {
    const { task } = await create('shared');
    await service.tasks.updateTask(update(task?.id ?? '', { title: 'y' }, ['title'], 'shared'), user.as);
    await service.tasks.deleteTask({ taskId: task?.id ?? '', requestId: 'shared' }, user.as);
  });
});
