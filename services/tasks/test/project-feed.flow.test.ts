import { describe, expect, it } from '@jest/globals';
import { ProjectRole, type Project } from '#contract/tasks/v1/projects';
import { TaskEventType, TaskScope, type Task } from '#contract/tasks/v1/tasks';
import { refused } from '#dev/testing';
import { createRandom, type Random } from '../../../libs/dev/testing/src/random.ts';
import { createTask, update } from './factories.ts';
import { events, settle, sync, watch, type Watching } from './mirror.ts';
import { usePeople, useTasksCluster, type Person } from './start-cluster.ts';
import { addMember, createProject } from './start-projects.ts';

const { VIEWER, EDITOR } = ProjectRole;
const { CREATED, MOVED, UPDATED } = TaskEventType;
const scope: TaskScope = TaskScope.ALL;
const service = useTasksCluster({ replicas: { tasks: 2 }, env: { TASKFLOW_RATE_LIMITS: '{"*":"unlimited"}' } });
const people = usePeople(service, 'Ada', 'Bob', 'Eve');
const [ada, bob, eve] = people;
const second = {
  get tasks() {
    return service.second;
  },
};

const titlesOf = (watching: Watching): string[] => events(watching).flatMap(({ change }) => change?.after?.title ?? []);

describe('B10 what happens in a project', () => {
  it('is told to all who may see it, on every replica, from joining to leaving', async () => {
    const { id: projectId } = await createProject(service.projects, ada);
    await createTask(service, ada, { title: 'before', projectId });
    const copy = new Map<string, Task>();
    let syncToken = await sync(service, bob, copy, { scope });
    const all = await watch(second, bob, '', scope);
    const mine = await watch(second, bob);
    await createTask(service, ada, { title: 'unseen', projectId });
    await addMember(service.projects, ada, { projectId, userId: bob.userId, role: EDITOR });
    await all.until(() => all.news.some((message) => message.joinedProjectId === projectId));
    const task = await createTask(service, ada, { title: 'seen', projectId });
    await all.until(() => titlesOf(all).includes('seen'));
    await service.tasks.updateTask(update(task.id, { assigneeId: bob.userId }), ada.as);
    await mine.until(() => titlesOf(mine).includes('seen'));
    expect(titlesOf(all)).toEqual(['seen', 'seen']);
    expect(titlesOf(mine)).toEqual(['seen']);

    await settle(async () => {
      syncToken = await sync(service, bob, copy, { scope, syncToken, pageSize: 2 });
      expect([...copy.values()].map(({ title }) => title).toSorted()).toEqual(['before', 'seen', 'unseen']);
    });

    await service.projects.removeMember({ projectId, userId: bob.userId }, ada.as);
    await service.tasks.updateTask(update(task.id, { title: 'secret' }), ada.as);
    await all.until(() => all.news.some((message) => message.removedProjectId === projectId));
    await mine.until(() => mine.news.some(({ removed }) => removed));
    const own = await createTask(service, bob, { title: 'last' });
    for (const watching of [all, mine]) {
      await watching.until(() => events(watching).some(({ taskId }) => taskId === own.id));
      expect(
        JSON.stringify(watching.news, (_, value: unknown) => (typeof value === 'bigint' ? '' : value)),
      ).not.toContain('secret');
    }
    await settle(async () => {
      syncToken = await sync(service, bob, copy, { scope, syncToken });
      expect([...copy.values()].map(({ title }) => title)).toEqual(['last']);
    });
    const lists = await service.tasks.listTasks({}, bob.as);
    expect(lists.tasks.map(({ title }) => title)).toEqual(['last']);
    await all.stop();
    await mine.stop();
  }, 120_000);

  it('ends and begins again with the project, and a token of one scope is none of the other', async () => {
    const { id: projectId } = await createProject(service.projects, ada);
    await addMember(service.projects, ada, { projectId, userId: bob.userId, role: VIEWER });
    await createTask(service, ada, { title: 'there', projectId });
    const copy = new Map<string, Task>();
    const token = await sync(service, bob, copy, { scope });
    expect([...copy.values()].map(({ title }) => title)).toContain('there');
    await expect(refused(service.tasks.syncTasks({ syncToken: token }, bob.as))).resolves.toMatchObject({
      reason: 'RESUME_TOKEN_INVALID',
    });
    const all = await watch(service, bob, token, scope);
    await service.projects.deleteProject({ projectId }, ada.as);
    await all.until(() => all.news.some((message) => message.removedProjectId === projectId));
    await service.projects.undeleteProject({ projectId }, ada.as);
    await all.until(() => all.news.some((message) => message.joinedProjectId === projectId));
    await all.stop();
    await settle(async () => {
      const fresh = new Map(copy);
      await sync(service, bob, fresh, { scope, syncToken: token });
      expect([...fresh.values()].filter((task) => task.projectId === projectId)).toHaveLength(1);
    });
  }, 120_000);
});

describe('B9 a task that moves', () => {
  it('leaves those who do not see where it goes, and comes to those who do not see where it was', async () => {
    const [web, app] = [await createProject(service.projects, ada), await createProject(service.projects, ada)];
    await addMember(service.projects, ada, { projectId: web.id, userId: bob.userId, role: EDITOR });
    await addMember(service.projects, ada, { projectId: app.id, userId: eve.userId, role: VIEWER });
    const task = await createTask(service, ada, { title: 'in WEB', projectId: web.id });
    const copies = [ada, bob, eve].map((person) => ({ person, copy: new Map<string, Task>(), token: '' }));
    for (const each of copies) each.token = await sync(service, each.person, each.copy, { scope });
    const streams = await Promise.all([ada, bob, eve].map((person) => watch(second, person, '', scope)));
    await service.tasks.moveTask({ taskId: task.id, projectId: app.id }, ada.as);
    await service.tasks.updateTask(update(task.id, { title: 'in APP' }), ada.as);
    const own = await createTask(service, ada, { title: 'private' });
    await service.tasks.moveTask({ taskId: own.id, projectId: app.id }, ada.as);
    await service.tasks.moveTask({ taskId: task.id, projectId: '' }, ada.as);
    const last = await createTask(service, ada, { title: 'last', projectId: web.id });
    await service.tasks.moveTask({ taskId: last.id, projectId: app.id }, ada.as);
    const [ofAda, ofBob, ofEve] = streams as [Watching, Watching, Watching];
    const seen = ({ news }: Watching) =>
      news.flatMap(({ event, removed }) =>
        event === undefined
          ? []
          : [
              [
                event.type,
                event.streamId,
                event.otherStreamId,
                event.change?.before?.title,
                event.change?.after?.title,
                removed,
              ],
            ],
      );
    for (const stream of streams)
      await stream.until(() => events(stream).some(({ taskId, type }) => taskId === last.id && type === MOVED));
    expect(seen(ofAda)).toEqual([
      [MOVED, app.id, web.id, 'in WEB', 'in WEB', false],
      [UPDATED, app.id, '', 'in WEB', 'in APP', false],
      [CREATED, ada.userId, '', undefined, 'private', false],
      [MOVED, app.id, ada.userId, 'private', 'private', false],
      [MOVED, ada.userId, app.id, 'in APP', 'in APP', false],
      [CREATED, web.id, '', undefined, 'last', false],
      [MOVED, app.id, web.id, 'last', 'last', false],
    ]);
    expect(seen(ofBob)).toEqual([
      [MOVED, web.id, '', 'in WEB', undefined, true],
      [CREATED, web.id, '', undefined, 'last', false],
      [MOVED, web.id, '', 'last', undefined, true],
    ]);
    expect(seen(ofEve)).toEqual([
      [MOVED, app.id, '', undefined, 'in WEB', false],
      [UPDATED, app.id, '', 'in WEB', 'in APP', false],
      [MOVED, app.id, '', undefined, 'private', false],
      [MOVED, app.id, '', 'in APP', undefined, true],
      [MOVED, app.id, '', undefined, 'last', false],
    ]);
    // Each stream's numbers have no gap for whoever reads all of it.
    for (const [stream, streamId] of [
      [ofBob, web.id],
      [ofEve, app.id],
    ] as const) {
      const numbers = events(stream).filter((event) => event.streamId === streamId);
      const [first] = numbers;
      expect(numbers.map(({ sequence }) => sequence - (first?.sequence ?? 0n))).toEqual(
        numbers.map((_, index) => BigInt(index)),
      );
    }
    const titles = [['in APP', 'last', 'private'], [], ['last', 'private']];
    for (const [index, each] of copies.entries())
      await settle(async () => {
        each.token = await sync(service, each.person, each.copy, { scope, syncToken: each.token, pageSize: 1 });
        const here = [...each.copy.values()].filter(({ id }) => [task.id, own.id, last.id].includes(id));
        expect(here.map(({ title }) => title).toSorted()).toEqual(titles[index]);
      });
    for (const stream of streams) await stream.stop();
  }, 120_000);
});

/** What somebody does next; refusals are part of it. */
async function act(random: Random, projects: Project[], managers: readonly Person[]): Promise<void> {
  const index = random.between(0, projects.length - 1);
  const [project, manager] = [projects[index], managers[index]] as [Project, Person];
  const [person, other] = [random.pick(people), random.pick(people)];
  const projectId = project.id;
  const [task] = await service.sql<{ id: string }>('select id from tasks order by random() limit 1');
  const taskId = task?.id ?? '';
  const acts: (() => Promise<unknown>)[] = [
    () => createTask(service, person, { projectId: random.chance(0.7) ? projectId : '', title: 'made' }),
    () => createTask(service, person, { projectId, assigneeId: other.userId }),
    () => service.tasks.updateTask(update(taskId, { title: `renamed ${random.next()}` }), person.as),
    () => service.tasks.updateTask(update(taskId, { assigneeId: other.userId }), person.as),
    () => service.tasks.moveTask({ taskId, projectId }, person.as),
    () => service.tasks.moveTask({ taskId, projectId }, manager.as),
    () => service.tasks.moveTask({ taskId, projectId: '' }, random.pick([person, manager]).as),
    () => service.tasks.deleteTask({ taskId }, person.as),
    () => service.tasks.undeleteTask({ taskId }, person.as),
    () =>
      addMember(service.projects, manager, { projectId, userId: person.userId, role: random.pick([VIEWER, EDITOR]) }),
    () => addMember(service.projects, manager, { projectId, userId: other.userId, role: EDITOR }),
    () => service.projects.removeMember({ projectId, userId: person.userId }, manager.as),
    () => service.projects.leaveProject({ projectId }, person.as),
    () => service.projects.deleteProject({ projectId }, manager.as),
    () => service.projects.undeleteProject({ projectId }, manager.as),
  ];
  await random
    .pick(acts)()
    .catch(() => undefined);
}

/* The rules, written a second time: $1 a person. */
const visible = `
  select t.id, t.title, t.project_id is not null as shared, $1 in (t.owner_id, t.assignee_id) as own from tasks t
  left join projects p on p.id = t.project_id
  where t.delete_time is null and p.delete_time is null and case when t.project_id is null
    then $1 in (t.owner_id, t.assignee_id)
    else exists (select from project_members m where m.project_id = t.project_id and m.user_id = $1) end`;

/* The stays of a person in projects, by transactions of the log. */
const stays = `
  select stream_id as project, transaction_id::text as place, type = 'PROJECT_EVENT_TYPE_MEMBER_REMOVED' as ends from events
  where (subject_id = $1 and type like 'PROJECT_EVENT_TYPE_MEMBER_%' and type not like '%UPDATED')
    or (actor = $1::text and type = 'PROJECT_EVENT_TYPE_CREATED')
  order by transaction_id, id`;

async function wasMember({ userId }: Person, projectId: string, place: bigint): Promise<boolean> {
  const rows = await service.sql<{ project: string; place: string; ends: boolean }>(stays, [userId]);
  const last = rows.findLast((row) => row.project === projectId && BigInt(row.place) < place);
  return last?.ends === false;
}

/**
 * The tasks that a stream told of although the person was no member of their project at that place of the log, or, of a
 * move, had nothing to do with them in no project.
 */
async function findUnseen(person: Person, watching: Watching): Promise<string[]> {
  const unseen: string[] = [];
  for (const { type, position, change } of events(watching))
    for (const task of [change?.before, change?.after].flatMap((state) => state ?? [])) {
      const isInProject = task.projectId !== '';
      const isOwn = [task.ownerId, task.assigneeId].includes(person.userId);
      const isSeen = isInProject
        ? await wasMember(person, task.projectId, position?.transactionId ?? 0n)
        : type !== MOVED || isOwn;
      if (!isSeen) unseen.push(task.id);
    }
  return unseen;
}

describe('random changes of tasks, projects and members', () => {
  it.each([1, 2])(
    'leave everybody with what they may see, and told nobody anything else, %i',
    async (seed) => {
      const random = createRandom(`project feed ${seed}`);
      const managers = [ada, bob];
      const projects = await Promise.all(managers.map((manager) => createProject(service.projects, manager)));
      const followers = await Promise.all(
        people.flatMap((person) =>
          [TaskScope.ALL, TaskScope.MINE].map(async (each) => ({
            person,
            scope: each,
            copy: new Map<string, Task>(),
            token: '',
            watching: await watch(random.chance(0.5) ? service : second, person, '', each),
          })),
        ),
      );
      const catchUp = async (follower: (typeof followers)[number]): Promise<void> => {
        const { person, copy, token: syncToken } = follower;
        follower.token = await sync(service, person, copy, { scope: follower.scope, syncToken, pageSize: 3 });
      };
      for (let round = 0; round < 150; round += 1) {
        await act(random, projects, managers);
        if (random.chance(0.2)) await catchUp(random.pick(followers));
      }
      for (const follower of followers) {
        const { person, copy, watching } = follower;
        const rows = await service.sql<{ id: string; title: string; own: boolean }>(visible, [person.userId]);
        const wanted = rows.filter(({ own }) => follower.scope === TaskScope.ALL || own);
        await settle(async () => {
          await catchUp(follower);
          expect([...copy.values()].map(({ id, title }) => `${id} ${title}`).toSorted()).toEqual(
            wanted.map(({ id, title }) => `${id} ${title}`).toSorted(),
          );
        });
        await watching.stop();
        expect(await findUnseen(person, watching)).toEqual([]);
      }
    },
    240_000,
  );
});
