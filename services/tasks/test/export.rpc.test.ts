import { describe, expect, it } from '@jest/globals';
import { BatchCreateTasksRequest, Task, TaskEvent, TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { canonicalJson } from '#libs/contract';
import { listTables, readExport, refused, tablesOf } from '#dev/testing';
import { exportedData } from '../src/db/exported-data.ts';
import { createTask, creations, update } from './factories.ts';
import { createProject } from './start-projects.ts';
import { useTasks, type TestUser } from './start-tasks.ts';

const taskJson = canonicalJson('taskflow.tasks.v1.Task', Task);
const eventJson = canonicalJson('taskflow.tasks.v1.TaskEvent', TaskEvent);

const idsOf = (resources: Record<string, unknown>[] | undefined): unknown[] => (resources ?? []).map(({ id }) => id);

describe('ExportMyData of tasks', () => {
  const service = useTasks();

  const exportOf = (user: TestUser) => readExport(service.exports.exportMyData({}, user.as));
  /** As many tasks that do not fit into the buffers of the transport. */
  async function createMany(user: TestUser, count: number): Promise<void> {
    const task = Task.fromPartial({ title: 'before', description: 'x'.repeat(9000) });
    for (let left = count; left > 0; left -= 100) {
      const requests = creations(Array.from({ length: Math.min(left, 100) }, () => task));
      await service.tasks.batchCreateTasks(BatchCreateTasksRequest.fromPartial({ requests }), user.as);
    }
  }
  const dropAssignment = (task: Task, owner: TestUser) =>
    service.tasks.updateTask(update(task.id, { assigneeId: '' }), owner.as);

  it('has what is the caller’s, as the contract’s JSON, and nothing of others', async () => {
    const [owner, assignee] = [await service.newUser(), await service.newUser()];
    const full = await createTask(service, owner, {
      title: 'Grüße an 🙂 \u202eabc "quoted" \\ back',
      description: 'two\nlines\tand a tab',
      status: TaskStatus.IN_PROGRESS,
      priority: TaskPriority.URGENT,
      due: {
        $case: 'dueDay',
        value: { date: { year: 2030, month: 3, day: 31 }, timeZone: 'Europe/Berlin' },
      },
      labels: ['home', 'büro'],
      externalId: 'notes:7',
      assigneeId: owner.userId,
    });
    const plain = await createTask(service, owner);
    const deleted = await createTask(service, owner, { title: 'gone' });
    await service.tasks.deleteTask({ taskId: deleted.id }, owner.as);
    await createTask(service, assignee);

    const { header, byType } = await exportOf(owner);
    expect(header).toMatchObject({ format: 'taskflow-export', version: 1, service: 'tasks', accountId: owner.userId });
    expect(byType['task']?.map((json) => taskJson.decode(json))).toEqual([full, plain].map(withoutNames));
    expect(idsOf(byType['deleted_task'])).toEqual([deleted.id]);
    expect(byType['assigned_task']).toEqual([]);
    const events = (byType['task_event'] ?? []).map((json) => eventJson.decode(json));
    expect(events.map(({ taskId, type }) => [taskId, type])).toEqual([
      [full.id, 'TASK_EVENT_TYPE_CREATED'],
      [plain.id, 'TASK_EVENT_TYPE_CREATED'],
      [deleted.id, 'TASK_EVENT_TYPE_CREATED'],
      [deleted.id, 'TASK_EVENT_TYPE_DELETED'],
    ]);
    expect(byType['audit_event']).toEqual([
      expect.objectContaining({ action: 'data_exported', accountId: owner.userId, actorId: owner.userId }),
    ]);
  });

  it('marks tasks of others that are assigned, and keeps from a former assignee what became of one', async () => {
    const [owner, assignee] = [await service.newUser(), await service.newUser()];
    const [kept, taken] = [await createTask(service, owner), await createTask(service, owner, { title: 'taken' })];
    // Users is down in this test, so nobody can be assigned by a call.
    await service.sql('update tasks set assignee_id = $1 where id = any ($2)', [assignee.userId, [kept.id, taken.id]]);
    await dropAssignment(taken, owner);
    await service.tasks.updateTask(update(taken.id, { title: 'secret' }), owner.as);
    const { byType } = await exportOf(assignee);
    expect(idsOf(byType['assigned_task'])).toEqual([kept.id]);
    expect(byType['task']).toEqual([]);
    const changes = (byType['task_event'] ?? []).map((json) => eventJson.decode(json));
    expect(changes.map(({ taskId, change }) => [taskId, change?.before?.title, change?.after])).toEqual([
      [taken.id, 'taken', undefined],
    ]);
  });

  it('has the projects that one is in, also archived and own deleted ones, and what happened to oneself in them', async () => {
    const [manager, member] = [await service.newUser(), await service.newUser()];
    const open = await createProject(service.projects, manager, { name: 'open' });
    const archived = await createProject(service.projects, manager, { name: 'archived' });
    const deleted = await createProject(service.projects, manager, { name: 'deleted' });
    // Users is down in this test, so nobody can be added by a call.
    const ids = [open.id, archived.id, deleted.id];
    await service.sql('insert into project_members select id, $2, 1, 1, now(), now() from unnest($1::uuid[]) id', [
      ids,
      member.userId,
    ]);
    await service.projects.archiveProject({ projectId: archived.id }, manager.as);
    await service.projects.deleteProject({ projectId: deleted.id }, manager.as);
    await service.projects.leaveProject({ projectId: open.id }, member.as);
    const own = await exportOf(manager);
    expect(own.byType['project']).toMatchObject([
      { name: 'open', role: 'PROJECT_ROLE_MANAGER' },
      { name: 'archived' },
      { name: 'deleted' },
    ]);
    expect(own.byType['project_membership']?.map(({ projectId }) => projectId).toSorted()).toEqual(ids.toSorted());
    expect(own.byType['project_event']?.map(({ type }) => type)).toEqual(
      Array<string>(3).fill('PROJECT_EVENT_TYPE_CREATED'),
    );
    expect(own.byType['task_event']).toEqual([]);
    const { byType } = await exportOf(member);
    expect(byType['project']?.map(({ name }) => name)).toEqual(['archived']);
    expect(byType['project_event']).toMatchObject([
      { type: 'PROJECT_EVENT_TYPE_MEMBER_REMOVED', subjectId: member.userId, projectId: open.id },
    ]);
  });

  it('is of one moment, however much is written while it is read', async () => {
    const user = await service.newUser();
    await createMany(user, 1000);
    const stream = service.exports.exportMyData({}, user.as);
    const first = await stream.next();
    await service.sql(`update tasks set title = 'after' where owner_id = $1`, [user.userId]);
    await createTask(service, user, { title: 'later' });
    async function* all() {
      if (first.done !== true) yield first.value;
      yield* stream;
    }
    const titles = (await readExport(all())).byType['task']?.map(({ title }) => title) ?? [];
    expect(titles).toHaveLength(1000);
    expect(new Set(titles)).toEqual(new Set(['before']));
  });

  it('runs once at a time for an account, and again when a reader has left', async () => {
    const user = await service.newUser();
    await createMany(user, 400);
    const stream = service.exports.exportMyData({}, user.as);
    await stream.next();
    expect(await refused(exportOf(user))).toMatchObject({ kind: 'resource_exhausted', reason: 'OVERLOADED' });
    await stream.return();
    for (;;) {
      const again = await exportOf(user).catch((error: unknown) => error);
      if (!(again instanceof Error)) break;
      expect(again).toMatchObject({ reason: 'OVERLOADED' });
    }
  });

  it('names every table, as exported or with the reason why not', async () => {
    expect(tablesOf(exportedData)).toEqual(await listTables(service.sql));
  });
});

/** Names of people come from users, and are left out. */
const withoutNames = (task: Task): Task => ({ ...task, ownerName: '', assigneeName: '' });
