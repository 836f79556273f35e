import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { watchTasks, type Session, type TaskUpdate } from '#client/index';
import type { TaskFlow } from '#client/taskflow';
import { ProjectRole, TaskScope, type Task } from '#client/tasks';
import { waitUntil } from '#dev/cluster';
import { startClientCluster, type ClientCluster } from './test-client.ts';

let service: ClientCluster;
beforeAll(async () => {
  service = await startClientCluster();
});
afterAll(() => service?.stop());

async function newPerson(): Promise<{ taskflow: TaskFlow<Session>; id: string }> {
  const taskflow = service.open({ account: await service.register() });
  return { taskflow, id: (await taskflow.users.getMe({})).user?.id ?? '' };
}

function forget(copy: Map<string, Task>, projectIds: readonly string[]): void {
  for (const [id, { projectId }] of copy) if (projectIds.includes(projectId)) copy.delete(id);
}

function applyList(copy: Map<string, Task>, part: Extract<TaskUpdate, { kind: 'list' }>): void {
  if (part.isFirst) copy.clear();
  forget(copy, part.removedProjectIds);
  for (const task of part.tasks) copy.set(task.id, task);
  for (const id of part.removedTaskIds) copy.delete(id);
}

function applyEvent(copy: Map<string, Task>, { event, removed }: Extract<TaskUpdate, { kind: 'event' }>): void {
  const after = event.change?.after;
  if (removed || after === undefined) copy.delete(event.taskId);
  else copy.set(event.taskId, after);
}

/** A copy as the updates make it. */
function apply(copy: Map<string, Task>, update: TaskUpdate): void {
  if (update.kind === 'list') applyList(copy, update);
  if (update.kind === 'joined') for (const task of update.tasks) copy.set(task.id, task);
  if (update.kind === 'left') forget(copy, [update.projectId]);
  if (update.kind === 'event') applyEvent(copy, update);
}

function follow(taskflow: TaskFlow) {
  const leaving = new AbortController();
  const copy = new Map<string, Task>();
  const updates: TaskUpdate[] = [];
  const run = async (): Promise<void> => {
    const options = { scope: TaskScope.ALL, signal: leaving.signal };
    for await (const update of watchTasks(taskflow.tasks, options)) {
      updates.push(update);
      apply(copy, update);
    }
  };
  const ended = run();
  return {
    updates,
    titles: (): string[] => [...copy.values()].map(({ title }) => title).toSorted(),
    isOpen: (): boolean => updates.some(({ kind }) => kind === 'heartbeat'),
    stop: (): Promise<void> => {
      leaving.abort();
      return ended;
    },
  };
}

async function newProject(owner: TaskFlow<Session>): Promise<string> {
  return (await owner.projects.createProject({ project: { name: 'Web', key: 'WEB' } })).project?.id ?? '';
}

describe('watchTasks of all that one may see', () => {
  it('brings the tasks of a project that is joined, follows them, and tells when it is left', async () => {
    const [owner, guest] = [await newPerson(), await newPerson()];
    await guest.taskflow.tasks.createTask({ task: { title: 'own' } });
    const projectId = await newProject(owner.taskflow);
    await owner.taskflow.tasks.createTask({ task: { title: 'before', projectId } });
    const watching = follow(guest.taskflow);
    await waitUntil(() => watching.isOpen());
    expect(watching.titles()).toEqual(['own']);
    const person = { case: 'userId', value: guest.id } as const;
    await owner.taskflow.projects.addMember({ projectId, person, role: ProjectRole.VIEWER });
    await waitUntil(() => watching.updates.some((update) => update.kind === 'joined' && update.isLast));
    expect(watching.titles()).toEqual(['before', 'own']);
    await owner.taskflow.tasks.createTask({ task: { title: 'after', projectId } });
    await waitUntil(() => watching.titles().includes('after'));
    await owner.taskflow.projects.removeMember({ projectId, userId: guest.id });
    await waitUntil(() => watching.updates.some(({ kind }) => kind === 'left'));
    expect(watching.titles()).toEqual(['own']);
    await watching.stop();
  });

  it('finds no gap in the numbers of a project, which others use too', async () => {
    const [owner, guest] = [await newPerson(), await newPerson()];
    const projectId = await newProject(owner.taskflow);
    const person = { case: 'userId', value: guest.id } as const;
    await owner.taskflow.projects.addMember({ projectId, person, role: ProjectRole.EDITOR });
    const mine = new AbortController();
    const kinds: string[] = [];
    const run = async (): Promise<void> => {
      for await (const update of watchTasks(guest.taskflow.tasks, { start: 'now', lateMs: 0, signal: mine.signal }))
        kinds.push(update.kind === 'event' ? (update.event.change?.after?.title ?? '') : update.kind);
    };
    const ended = run();
    await waitUntil(() => kinds.includes('heartbeat'));
    await guest.taskflow.tasks.createTask({ task: { title: 'first', projectId } });
    await owner.taskflow.tasks.createTask({ task: { title: 'of another', projectId } });
    await guest.taskflow.tasks.createTask({ task: { title: 'second', projectId } });
    await guest.taskflow.tasks.createTask({ task: { title: 'third', projectId } });
    await waitUntil(() => kinds.includes('third'));
    mine.abort();
    await ended;
    expect(kinds.filter((kind) => kind !== 'heartbeat')).toEqual(['first', 'second', 'third']);
  });
});
