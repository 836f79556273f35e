import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ProjectRole, type Project } from '#contract/tasks/v1/projects';
import { ReorderTaskResponse, TaskEventType, type ReorderTaskRequest, type Task } from '#contract/tasks/v1/tasks';
import { invalidFields, refused } from '#dev/testing';
import { createRandom } from '../../../libs/dev/testing/src/random.ts';
import { countDifferent, createTask, listAll, staleEtag, taskNotFound } from './factories.ts';
import { joinBySql, projectWith } from './moves.ts';
import { archived, roleRequired } from './start-projects.ts';
import { useTasks, type TestUser } from './start-tasks.ts';

const { VIEWER, EDITOR } = ProjectRole;

describe('B9 the order by hand', () => {
  const service = useTasks();
  let ada: TestUser;
  let bob: TestUser;
  let project: Project;
  beforeEach(async () => {
    [ada, bob] = await Promise.all([service.newUser(), service.newUser()]);
    project = await projectWith(service, ada, { key: 'WEB', members: [[bob, VIEWER]] });
  });

  const create = (title: string) => createTask(service, ada, { title, projectId: project.id });
  const createAll = async (...titles: string[]): Promise<Task[]> => {
    const tasks: Task[] = [];
    for (const title of titles) tasks.push(await create(title));
    return tasks;
  };
  const place = (side: 'before' | 'after', { id: value }: Task): ReorderTaskRequest['place'] =>
    side === 'before' ? { $case: 'beforeTaskId', value } : { $case: 'afterTaskId', value };
  const put = async (
    task: Task,
    side: 'before' | 'after',
    other: Task,
    { user = ada, ...rest }: Partial<ReorderTaskRequest> & { user?: TestUser } = {},
  ): Promise<Task> => {
    const request = { taskId: task.id, place: place(side, other), ...rest };
    const answer = await service.tasks.reorderTask(request, user.as);
    if (answer.task === undefined) throw new Error('the answer has no task');
    return answer.task;
  };
  const order = async (filter: object = {}): Promise<string[]> =>
    (await listAll(service, ada, { projectId: project.id, orderBy: 'position', pageSize: 500, ...filter })).map(
      ({ title }) => title,
    );

  it('puts a task in front of or behind another one, by one write that others see', async () => {
    const [a, b, c] = (await createAll('a', 'b', 'c', 'd')) as [Task, Task, Task];
    const moved = await put(c, 'before', a);
    expect(await order()).toEqual(['c', 'a', 'b', 'd']);
    await put(a, 'after', b);
    expect(await order()).toEqual(['c', 'b', 'a', 'd']);
    await create('e');
    await put(b, 'after', await create('f'));
    await create('g');
    expect(await order()).toEqual(['c', 'a', 'd', 'e', 'f', 'b', 'g']);
    expect(moved.etag).not.toBe(c.etag);
    const { events } = await service.tasks.listTaskEvents({ taskId: c.id }, bob.as);
    expect(events.at(-1)).toMatchObject({
      type: TaskEventType.UPDATED,
      actor: ada.userId,
      change: { before: { position: c.position }, after: { position: moved.position, etag: moved.etag } },
    });
    expect(await service.sql('select from tasks where project_id = $1 and version > 1', [project.id])).toHaveLength(3);
  });

  it('changes nothing when the task stands there, and happens once with a request id', async () => {
    const [a, b, c] = (await createAll('a', 'b', 'c')) as [Task, Task, Task];
    expect((await put(a, 'before', b)).etag).toBe(a.etag);
    expect((await put(c, 'after', b)).etag).toBe(c.etag);
    expect((await put(c, 'before', a, { validateOnly: true })).etag).not.toBe(c.etag);
    expect(await order()).toEqual(['a', 'b', 'c']);
    await expect(refused(put(c, 'before', a, { etag: 'old' }))).resolves.toEqual(staleEtag);
    const request = { taskId: c.id, place: place('before', a), etag: c.etag, requestId: randomUUID() };
    const answers = await Promise.all([1, 2, 3].map(() => service.tasks.reorderTask(request, ada.as)));
    expect(countDifferent(ReorderTaskResponse, answers)).toBe(1);
    expect(await order()).toEqual(['c', 'a', 'b']);
  });

  it('is for editors, in one project, and says what is wrong', async () => {
    const [a, b] = (await createAll('a', 'b')) as [Task, Task];
    await expect(refused(put(b, 'before', a, { user: bob }))).resolves.toEqual(roleRequired);
    const stranger = await service.newUser();
    await expect(refused(put(b, 'before', a, { user: stranger }))).resolves.toEqual(taskNotFound);
    await joinBySql(service, project, stranger, EDITOR);
    await put(b, 'before', a, { user: stranger });
    expect(await order()).toEqual(['b', 'a']);
    const notInProject = { kind: 'failed_precondition', reason: 'TASK_NOT_IN_PROJECT' };
    const outside = await createTask(service, ada);
    const foreign = await createTask(service, bob);
    const gone = await create('gone');
    await service.tasks.deleteTask({ taskId: gone.id }, ada.as);
    await expect(refused(put(outside, 'before', a))).resolves.toEqual(notInProject);
    for (const other of [outside, foreign, gone, { ...a, id: randomUUID() }])
      await expect(refused(put(a, 'after', other))).resolves.toEqual(notInProject);
    const invalid = (request: Partial<ReorderTaskRequest>) =>
      invalidFields(service.tasks.reorderTask({ taskId: a.id, ...request }, ada.as));
    expect(await invalid({})).toEqual(['place']);
    expect(await invalid({ place: place('before', a) })).toEqual(['before_task_id']);
    expect(await invalid({ taskId: 'x', place: { $case: 'afterTaskId', value: 'y' } })).toEqual([
      'task_id',
      'after_task_id',
    ]);
    await service.projects.archiveProject({ projectId: project.id }, ada.as);
    await expect(refused(put(a, 'before', b))).resolves.toEqual(archived);
  });

  it('is that of a list in memory, whatever is moved, created and deleted, with short positions', async () => {
    const random = createRandom('order by hand');
    const tasks = await createAll('0', '1', '2', '3', '4', '5');
    let wanted = [...tasks];
    for (let round = 0; round < 700; round += 1) {
      const [task, other] = [random.pick(wanted), random.chance(0.8) ? (wanted[2] as Task) : random.pick(wanted)];
      if (task.id === other.id) continue;
      const side = random.chance(0.5) ? 'before' : 'after';
      await put(task, side, other);
      wanted = wanted.filter(({ id }) => id !== task.id);
      const index = wanted.findIndex(({ id }) => id === other.id);
      wanted.splice(side === 'before' ? index : index + 1, 0, task);
      if (random.chance(0.02)) wanted.push(await create(`later ${round}`));
    }
    expect(await order()).toEqual(wanted.map(({ title }) => title));
    const [{ longest } = { longest: 0 }] = await service.sql<{ longest: number }>(
      'select max(length(by_hand)) as longest from tasks where project_id = $1',
      [project.id],
    );
    expect(longest).toBeLessThanOrEqual(64);
  }, 120_000);

  it('spreads positions anew where there is no room, tells of each, and keeps the order', async () => {
    const [first, last] = (await createAll('first', 'last')) as [Task, Task];
    await service.sql(
      `insert into tasks (id, owner_id, project_id, number, key, by_hand, title, description, status, priority, due_version, labels, version, create_time, update_time)
       select gen_random_uuid(), $1, $2, n + 10, 'WEB-' || n + 10, $3 || repeat('V', 63 - 12) || case when n < 30 then '' else lpad(n::text, 3, '0') end,
         lpad(n::text, 3, '0'), '', n % 4 + 1, n % 3 + 1, 0, '{}', 1, now(), now() from generate_series(1, 120) n`,
      [ada.userId, project.id, first.position],
    );
    await service.sql('update projects set last_number = 200 where id = $1', [project.id]);
    const before = await order();
    const inTheMiddle = (await listAll(service, ada, { projectId: project.id, pageSize: 500 })).find(
      ({ title }) => title === before[16],
    );
    await put(last, 'before', inTheMiddle as Task);
    const wanted = before.filter((title) => title !== 'last').toSpliced(16, 0, 'last');
    expect(await order()).toEqual(wanted);
    const changed = await service.sql<{ version: string }>(
      'select version from tasks where project_id = $1 and version > 1',
      [project.id],
    );
    const told = await service.sql(`select from events where stream_id = $1 and type = 'TASK_EVENT_TYPE_UPDATED'`, [
      project.id,
    ]);
    expect(told).toHaveLength(changed.length);
    expect(changed.length).toBeGreaterThan(29);
  });

  it('is one order when many are moved at once', async () => {
    const tasks = await createAll(...Array.from({ length: 12 }, (_, index) => `${index}`));
    const [anchor, ...others] = tasks as [Task, ...Task[]];
    for (let round = 0; round < 5; round += 1)
      await Promise.all(others.map((task, index) => put(task, index % 2 === 0 ? 'before' : 'after', anchor)));
    const rows = await service.sql<{ by_hand: string }>('select distinct by_hand from tasks where project_id = $1', [
      project.id,
    ]);
    expect(rows).toHaveLength(tasks.length);
    const titles = await order();
    const place = titles.indexOf('0');
    for (const [index, { title }] of others.entries()) {
      if (index % 2 === 0) expect(titles.indexOf(title)).toBeLessThan(place);
      else expect(titles.indexOf(title)).toBeGreaterThan(place);
    }
  });
});
