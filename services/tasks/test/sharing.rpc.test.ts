import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { invalidFields } from '#dev/testing';
import { findSharing } from '../src/db/task-reader.ts';
import { createTask } from './factories.ts';
import { createProject } from './start-projects.ts';
import { useTasks, useUsers } from './start-tasks.ts';

const service = useTasks();
const [ada, bob, eve] = useUsers(service, 'user', 'user', 'user');

const sharing = async (userId: string, ...otherUserIds: string[]): Promise<string[]> => {
  const asUsers = await service.asService('users');
  const answer = await service.internal.batchCheckSharing({ userId, otherUserIds }, asUsers);
  return answer.sharingUserIds.toSorted();
};
/** Users is down here, so nobody can be assigned by a call. */
const assign = (taskId: string, assigneeId: string) =>
  service.sql('update tasks set assignee_id = $2 where id = $1', [taskId, assigneeId]);

describe('BatchCheckSharing', () => {
  it('names those whom one assigned a task to, or who assigned one, and nobody else', async () => {
    expect(await sharing(ada.userId, bob.userId, eve.userId, ada.userId)).toEqual([]);
    const [first, second] = [await createTask(service, ada), await createTask(service, eve)];
    await createTask(service, ada, { assigneeId: ada.userId });
    await assign(first.id, bob.userId);
    await assign(second.id, ada.userId);
    expect(await sharing(ada.userId, bob.userId, eve.userId, ada.userId, randomUUID())).toEqual(
      [bob.userId, eve.userId].toSorted(),
    );
    expect(await sharing(bob.userId, ada.userId, eve.userId)).toEqual([ada.userId]);
    expect(await sharing(eve.userId, ada.userId, bob.userId)).toEqual([ada.userId]);
    await service.tasks.deleteTask({ taskId: second.id }, eve.as);
    expect(await sharing(eve.userId, ada.userId, bob.userId)).toEqual([]);
  });

  it('names those who are in one project, until one of them leaves or it is deleted', async () => {
    const [manager, member, stranger] = await Promise.all([service.newUser(), service.newUser(), service.newUser()]);
    const project = await createProject(service.projects, manager);
    await service.sql('insert into project_members values ($1, $2, 1, 1, now(), now())', [project.id, member.userId]);
    const ids = [manager, member, stranger].map(({ userId }) => userId);
    const all = () => Promise.all(ids.map((userId) => sharing(userId, ...ids)));
    expect(await all()).toEqual([[member.userId], [manager.userId], []]);
    await service.projects.deleteProject({ projectId: project.id }, manager.as);
    expect(await all()).toEqual([[], [], []]);
    await service.projects.undeleteProject({ projectId: project.id }, manager.as);
    expect(await sharing(member.userId, manager.userId)).toEqual([manager.userId]);
    await service.projects.leaveProject({ projectId: project.id }, member.as);
    expect(await all()).toEqual([[], [], []]);
  });

  it('refuses no others, too many, and what is no id', async () => {
    expect(await invalidFields(sharing(ada.userId))).toEqual(['other_user_ids']);
    expect(await invalidFields(sharing('me', ...Array.from({ length: 501 }, () => ada.userId)))).toEqual([
      'user_id',
      'other_user_ids',
    ]);
  });

  it('reads a row or two of the index for each of the others, however many tasks there are', async () => {
    await service.sql(
      `insert into tasks (id, owner_id, title, description, status, priority, assignee_id, due_version, labels, version, create_time, update_time)
       select gen_random_uuid(), $1::uuid, 'x', '', 1, 2, gen_random_uuid(), 0, '{}', 1, now(), now() from generate_series(1, 2000)`,
      [ada.userId],
    );
    await service.sql(
      `with more as (
         insert into projects select gen_random_uuid(), 'WEB', 'x', '', '', 1, 1, now(), now()
         from generate_series(1, 200) returning id)
       insert into project_members select id, case when n = 1 then $1 else gen_random_uuid() end, 1, 1, now(), now()
       from more cross join generate_series(1, 50) n`,
      [ada.userId],
    );
    await service.sql('analyze tasks, projects, project_members');
    const others = `'{${Array.from({ length: 20 }, () => randomUUID()).join()}}'`;
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      await service.sql(`set plan_cache_mode = ${mode}`);
      await service.sql(`prepare explained (uuid, uuid[]) as ${findSharing.text}`);
      const rows = await service.sql(`explain (analyze) execute explained ('${ada.userId}', ${others})`);
      await service.sql('deallocate explained');
      const plan = JSON.stringify(rows);
      expect(plan.match(/using tasks_sharing/g)).toHaveLength(2);
      // The person's 200 projects are read at once, as a whole; of their members one look each.
      expect(plan.match(/using project_members_(pkey|person)/g)?.length).toBeGreaterThan(0);
      expect(plan).not.toMatch(/Seq Scan on (tasks|project_members)|Rows Removed by Filter: (?!20\b)/);
    }
    await service.sql('reset plan_cache_mode');
  });
});
