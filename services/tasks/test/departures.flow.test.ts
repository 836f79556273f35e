import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '#dev/cluster';
import { retry } from '#dev/stubs';
import { ProjectRole, type Project } from '#contract/tasks/v1/projects';
import { Task } from '#contract/tasks/v1/tasks';
import { createTask, creations } from './factories.ts';
import { usePeople, useTasksCluster } from './start-cluster.ts';
import { addMember, createProject } from './start-projects.ts';

const ordersFile = join(process.env['TASKFLOW_TEST_DIR'] ?? '', `departure-orders-${process.pid}`);
afterAll(() => rmSync(ordersFile, { force: true }));

const service = useTasksCluster({
  env: { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}', TASKFLOW_CRASH_FILE: ordersFile },
});
const [ada, eve] = usePeople(service, 'Ada', 'Eve');

const newProject = async (): Promise<Project> => {
  const project = await createProject(service.projects, ada);
  await add(project);
  return project;
};
const add = ({ id: projectId }: Project) =>
  addMember(service.projects, ada, { projectId, userId: eve.userId, role: ProjectRole.EDITOR });
const remove = ({ id: projectId }: Project) => service.projects.removeMember({ projectId, userId: eve.userId }, ada.as);
const departures = () => service.sql('select from project_departures');

describe('the hand-over of tasks', () => {
  it('leaves whoever is added again meanwhile what is still theirs', async () => {
    const project = await newProject();
    const task = await createTask(service, eve, { projectId: project.id });
    await service.sql('begin');
    await service.sql('select from tasks where id = $1 for update', [task.id]);
    await remove(project);
    await add(project);
    await service.sql('commit');
    expect(await departures()).toEqual([]);
    // A turn of the loop, which begins anew with the process.
    await service.cluster.restart('tasks');
    const other = await newProject();
    const handed = await retry(() => createTask(service, eve, { projectId: other.id }));
    await remove(other);
    await service.cluster.restart('tasks');
    await waitUntil(async () => (await departures()).length === 0);
    const owners = await service.sql('select id, owner_id from tasks where id = any ($1) order by number, owner_id', [
      [task.id, handed.id],
    ]);
    expect(owners).toEqual(
      expect.arrayContaining([
        { id: task.id, owner_id: eve.userId },
        { id: handed.id, owner_id: ada.userId },
      ]),
    );
  });

  it('goes on where it was when the process is killed before or after a batch is committed', async () => {
    const project = await retry(newProject);
    const task = Task.fromPartial({ title: 'one of many', projectId: project.id });
    for (let index = 0; index < 5; index += 1)
      await service.tasks.batchCreateTasks({ requests: creations(Array.from({ length: 100 }, () => task)) }, eve.as);
    await service.sql('begin');
    await service.sql('select from tasks where project_id = $1 for update', [project.id]);
    await remove(project);
    await service.cluster.kill('tasks', 'SIGKILL');
    await service.sql('commit');
    for (const point of ['hand-over.after-commit', 'hand-over.before-commit']) {
      writeFileSync(ordersFile, point);
      await service.cluster.start('tasks');
      await waitUntil(() => service.cluster.pid('tasks') === undefined);
      expect(await departures()).toHaveLength(1);
    }
    await service.cluster.start('tasks');
    await waitUntil(async () => (await departures()).length === 0);
    expect(
      await service.sql(
        `select count(*)::int as count, max(version)::int as version from tasks where project_id = $1 and owner_id = $2`,
        [project.id, ada.userId],
      ),
    ).toEqual([{ count: 500, version: 2 }]);
    expect(
      await service.sql(
        `select count(*)::int as events, count(distinct subject_id)::int as tasks from events
         where stream_id = $1 and actor = 'service:tasks'`,
        [project.id],
      ),
    ).toEqual([{ events: 500, tasks: 500 }]);
    const { stats } = await retry(() => service.tasks.getTaskStats({ projectId: project.id }, ada.as));
    expect(stats?.totalCount).toBe(500n);
  });
});
