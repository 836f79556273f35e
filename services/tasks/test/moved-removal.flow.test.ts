import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ProjectRole, type Project } from '#contract/tasks/v1/projects';
import { InternalTasksServiceService, TaskChange, TaskScope, type Task } from '#contract/tasks/v1/tasks';
import { readServiceKey } from '#dev/cluster';
import { openStub, type Stub } from '#dev/stubs';
import { createServiceIdentity } from '#libs/identity';
import { createTask } from './factories.ts';
import { settle, sync } from './mirror.ts';
import { usePeople, useTasksCluster, type Person } from './start-cluster.ts';
import { addMember, createProject } from './start-projects.ts';

const scope: TaskScope = TaskScope.ALL;
const service = useTasksCluster();
const [ada, bob] = usePeople(service, 'Ada', 'Bob');
let internal: Stub<typeof InternalTasksServiceService>;
beforeAll(() => {
  internal = openStub(InternalTasksServiceService, service.cluster.address('tasks'));
});
afterAll(() => internal.close());

/** As auth does it. */
async function remove({ userId }: Person): Promise<void> {
  const key = { service: 'auth', privateKey: readServiceKey(service.cluster.dir, 'auth') } as const;
  const metadata = { 'x-taskflow-service': await createServiceIdentity(key).tokenFor('tasks') };
  while ((await internal.deleteUserTasks({ userId, successorId: '' }, { metadata })).more);
}

describe('the removal of somebody who has moved tasks', () => {
  let project: Project;
  let [out, into]: Task[] = [];

  it('erases what they took out of a project, and tells its members that it is gone', async () => {
    project = await createProject(service.projects, bob);
    await addMember(service.projects, bob, { projectId: project.id, userId: ada.userId, role: ProjectRole.EDITOR });
    const copy = new Map<string, Task>();
    out = await createTask(service, ada, { title: 'taken out', projectId: project.id });
    into = await createTask(service, ada, { title: 'brought in' });
    const syncToken = await sync(service, bob, copy, { scope });
    const move = (task: Task, projectId: string) => service.tasks.moveTask({ taskId: task.id, projectId }, ada.as);
    await move(out, '');
    await move(into, project.id);
    await remove(ada);

    const rows = await service.sql<{ actor: string; payload: Buffer; audience: string[] }>(
      `select actor, payload, array(select user_id from event_audience a where a.event_id = e.id)::text[] as audience
       from events e where subject_id = $1 and payload <> ''`,
      [out.id],
    );
    expect(rows.map(({ actor, audience }) => ({ actor, audience }))).toEqual([
      { actor: 'service:auth', audience: [project.id] },
    ]);
    expect(TaskChange.decode(rows[0]?.payload ?? Buffer.of())).toMatchObject({
      before: { id: out.id, projectId: project.id, assigneeId: '', title: '' },
      after: undefined,
    });
    await settle(async () => {
      await sync(service, bob, copy, { scope, syncToken });
      expect([...copy.values()].map(({ title, ownerId }) => [title, ownerId])).toEqual([['brought in', bob.userId]]);
    });
  });

  it('does not give the numbers of their stream again while the log has one of them', async () => {
    const [event] = await service.sql('select from events where subject_id = $1 and other_stream_id = $2', [
      into?.id,
      ada.userId,
    ]);
    expect(event).toBeDefined();
    await service.sql('delete from events where stream_id = $1', [ada.userId]);
    await remove(ada);
    expect(await service.sql('select from event_stream_heads where stream_id = $1', [ada.userId])).toHaveLength(1);
  });
});
