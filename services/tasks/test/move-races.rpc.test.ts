import { beforeEach, describe, expect, it } from '@jest/globals';
import { ProjectRole, type Project } from '#contract/tasks/v1/projects';
import type { Task } from '#contract/tasks/v1/tasks';
import { kindAndReason, refused } from '#dev/testing';
import { dueAt } from './due.ts';
import { anHourAgo, createTask, taskNotFound } from './factories.ts';
import { moveTask, projectWith } from './moves.ts';
import { useTasks, type TestUser } from './start-tasks.ts';

const { EDITOR } = ProjectRole;

describe('a task that moves while something else happens', () => {
  const service = useTasks();
  let ada: TestUser;
  let bob: TestUser;
  beforeEach(async () => {
    [ada, bob] = await Promise.all([service.newUser(), service.newUser()]);
  });

  const newProject = (key: string, members: [TestUser, ProjectRole][] = []) =>
    projectWith(service, ada, { key, members });
  const move = (user: TestUser, task: Task, project: Project) => moveTask(service, user, { task, project });

  /** What holds whatever happened at the same moment. */
  async function check(projects: readonly Project[]): Promise<void> {
    const ids = projects.map(({ id }) => id);
    const [broken] = await service.sql<{ counted: number; keys: number; numbers: number; open: number; due: number }>(
      `select
         (select count(*)::int from projects p where p.id = any ($1::uuid[]) and
           (select count(*) from tasks t where t.project_id = p.id and t.delete_time is null) is distinct from
           (select coalesce((select sum(c) from unnest(counters) c), 0) from event_stream_heads where stream_id = p.id)) as counted,
         (select count(*)::int from tasks t join projects p on p.id = t.project_id
           where p.id = any ($1::uuid[]) and t.key <> p.key || '-' || t.number) as keys,
         (select count(*)::int from projects p where p.id = any ($1::uuid[]) and p.last_number <> (
           select count(*) from events e where e.stream_id = p.id
             and e.type in ('TASK_EVENT_TYPE_CREATED', 'TASK_EVENT_TYPE_MOVED'))) as numbers,
         (select count(*)::int from tasks t join projects p on p.id = t.project_id
           join events e on e.subject_id = t.id and e.type = 'TASK_EVENT_TYPE_MOVED' and e.stream_id = p.id
           where p.id = any ($1::uuid[]) and e.create_time > p.delete_time) as open,
         (select count(*)::int from task_due d join tasks t on t.id = d.task_id
           where d.project_id is distinct from t.project_id or d.owner_id <> t.owner_id) as due`,
      [ids],
    );
    expect(broken).toEqual({ counted: 0, keys: 0, numbers: 0, open: 0, due: 0 });
  }

  it('ends in one of the projects when several move it at once, and every number is given once', async () => {
    const projects = [await newProject('WEB'), await newProject('APP'), await newProject('SHOP')];
    const tasks = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        createTask(service, ada, { projectId: projects[index % 3]?.id ?? '', ...dueAt(anHourAgo()) }),
      ),
    );
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(tasks.flatMap((task) => projects.map((project) => move(ada, task, project))));
      await Promise.all([createTask(service, ada, { projectId: projects[0]?.id ?? '' }), service.sweep()]);
    }
    await check(projects);
    const versions = await service.sql(
      `select subject_id from events where subject_id = any ($1::uuid[]) and type = 'TASK_EVENT_TYPE_MOVED'
       group by subject_id, subject_version having count(*) > 1`,
      [tasks.map(({ id }) => id)],
    );
    expect(versions).toEqual([]);
  });

  it('is in the project before it is deleted or its member removed, or not at all', async () => {
    for (let round = 0; round < 12; round += 1) {
      const [web, app] = [await newProject('WEB', [[bob, EDITOR]]), await newProject('APP', [[bob, EDITOR]])];
      const task = await createTask(service, bob, { projectId: web.id });
      const ending =
        round % 2 === 0
          ? service.projects.deleteProject({ projectId: app.id }, ada.as)
          : service.projects.removeMember({ projectId: app.id, userId: bob.userId }, ada.as);
      const moving = move(bob, task, app);
      const [, outcome] = await Promise.all([
        ending,
        moving.then(
          () => 'OK',
          () => kindAndReason(moving),
        ),
      ]);
      expect(['OK', 'not_found/PROJECT_NOT_FOUND']).toContain(outcome);
      await check([web, app]);
      const [row] = await service.sql<{ project_id: string }>('select project_id from tasks where id = $1', [task.id]);
      expect(row?.project_id).toBe(outcome === 'OK' ? app.id : web.id);
      if (outcome === 'OK')
        await expect(refused(service.tasks.getTask({ taskId: task.id }, bob.as))).resolves.toEqual(taskNotFound);
    }
  });
});
