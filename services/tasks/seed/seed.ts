import { create, pagesOf, retry, TaskFlowError, timestampFromDate, type Account, type TaskFlow } from '#client/index';
import { createTaskFlow, type NodeOptions } from '#client/node';
import { ServerFeature, ServerInfoService } from '#client/server';
import { DueDaySchema, TaskSchema, type Project, type Task } from '#client/tasks';
import { NotificationChannel } from '#client/users';
import { ownTasks, people, projects, type PersonName, type SeedProject, type SeedTask } from './data.ts';

interface SeedResult {
  /** Of all the people. */
  password: string;
  emails: string[];
  added: number;
  /** Existed from an earlier run. */
  present: number;
}

/** Seed data is for development only. */
class SeedRefused extends Error {
  override readonly name = 'SeedRefused';
}

const password = 'seeded-for-development-only';
const emailOf = (name: string): string => `${name.split(' ')[0]?.toLowerCase()}@seed.taskflow.example`;

const dayMs = 24 * 3_600_000;

interface Person {
  taskflow: TaskFlow;
  userId: string;
}

type People = Readonly<Record<PersonName, Person>>;

interface Seeding {
  people: People;
  result: SeedResult;
  onTask: () => void;
}

/** What an earlier run, or an attempt whose answer was lost, has done already is no failure. */
const isDone =
  (reason: string) =>
  (error: unknown): void => {
    if (!(error instanceof TaskFlowError && error.reason === reason)) throw error;
  };

/** Registers a person, unless the account exists, and signs in. Others can find them by their e-mail. */
async function ensurePerson(open: (account: Account) => TaskFlow, displayName: string): Promise<Person> {
  const account = { email: emailOf(displayName), password };
  const taskflow = open(account);
  await retry(() => taskflow.auth.register({ ...account, displayName }).then(() => undefined, isDone('EMAIL_TAKEN')));
  // Nobody can be an assignee before the profile has arrived.
  const { user } = await retry(() => taskflow.users.getMe({}));
  const id = user?.id ?? '';
  await retry(() => taskflow.users.updateUser({ user: { id, discoverable: true } }));
  return { taskflow, userId: id };
}

function dueOf({ dueInDays, dueAt }: SeedTask): Task['due'] {
  if (dueInDays === undefined) return { case: undefined };
  const date = new Date(Date.now() + dueInDays * dayMs).toISOString().slice(0, 10);
  if (dueAt !== undefined) return { case: 'dueTime', value: timestampFromDate(new Date(`${date}T${dueAt}:00Z`)) };
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  return { case: 'dueDay', value: create(DueDaySchema, { date: { year, month, day }, timeZone: 'UTC' }) };
}

function toTask(seed: SeedTask, known: People, place: Pick<Task, 'externalId' | 'projectId'>): Task {
  const { title, description = '', status, priority, labels = [], assignee } = seed;
  return create(TaskSchema, {
    ...place,
    title,
    description,
    labels,
    due: dueOf(seed),
    ...(status !== undefined && { status }),
    ...(priority !== undefined && { priority }),
    ...(assignee !== undefined && { assigneeId: known[assignee].userId }),
  });
}

/** A second run finds the task by its external id, and adds no comments. */
async function ensureTask(
  { people: known, result, onTask }: Seeding,
  owner: Person,
  seed: SeedTask,
  place: Pick<Task, 'externalId' | 'projectId'>,
): Promise<void> {
  const task = toTask(seed, known, place);
  const taskId = await retry(() =>
    owner.taskflow.tasks.createTask({ task }).then((answer) => answer.task?.id, isDone('EXTERNAL_ID_TAKEN')),
  );
  result[taskId === undefined ? 'present' : 'added'] += 1;
  onTask();
  if (taskId === undefined) return;
  for (const { by, text, mentions } of seed.comments ?? []) {
    const mentionIds = mentions === undefined ? [] : [known[mentions].userId];
    await retry(() => known[by].taskflow.comments.addComment({ taskId, text, mentionIds }));
  }
}

async function ensureProject({ taskflow }: Person, seed: SeedProject): Promise<Project | undefined> {
  for await (const { projects: page } of pagesOf(taskflow.projects.listProjects, { showArchived: true })) {
    const found = page.find(({ key, name }) => key === seed.key && name === seed.name);
    if (found !== undefined) return found;
  }
  const { key, name, description, color } = seed;
  return (await retry(() => taskflow.projects.createProject({ project: { key, name, description, color } }))).project;
}

/** An archived project is finished: nothing can be added to it. */
async function seedProject(seeding: Seeding, seed: SeedProject): Promise<void> {
  const manager = seeding.people[seed.manager];
  const project = await ensureProject(manager, seed);
  if (project === undefined) throw new Error('the answer has no project');
  if (project.archiveTime !== undefined) {
    seeding.result.present += seed.tasks.length;
    return;
  }
  const { id: projectId } = project;
  for (const { person, role } of seed.members) {
    const value = seeding.people[person].userId;
    const member = { projectId, person: { case: 'userId', value }, role } as const;
    await retry(() => manager.taskflow.projects.addMember(member).then(() => undefined, isDone('MEMBER_EXISTS')));
  }
  for (const [index, task] of seed.tasks.entries())
    await ensureTask(seeding, manager, task, { externalId: `seed-${seed.key}-${index + 1}`, projectId });
  if (seed.archived === true) await retry(() => manager.taskflow.projects.archiveProject({ projectId }));
}

/** A webhook at a host that does not exist, so that its log has something to show and nobody is called. */
async function ensureWebhook({ taskflow, userId }: Person): Promise<void> {
  const { webhooks } = await retry(() => taskflow.notifications.listWebhooks({}));
  if (webhooks.length > 0) return;
  const channels = [NotificationChannel.INBOX, NotificationChannel.WEBHOOK];
  await retry(() => taskflow.users.updateUser({ user: { id: userId, channels } }));
  const webhook = { url: 'https://chat.taskflow.example/hooks/overdue', description: 'Team chat' };
  await retry(() => taskflow.notifications.createWebhook({ webhook }));
}

/** Only servers outside production offer the API reference; they are asked before anything is written. */
async function refuseProduction({ connection }: TaskFlow): Promise<void> {
  if (process.env['TASKFLOW_ENV'] === 'production')
    throw new SeedRefused('TASKFLOW_ENV is production: seed data is for development only');
  const { features } = await retry(() => connection.service(ServerInfoService, { at: 'tasks' }).getServerInfo({}));
  if (!features.includes(ServerFeature.API_DOCS))
    throw new SeedRefused('the server runs in production: seed data is for development only');
}

async function ensurePeople(open: (account: Account) => TaskFlow): Promise<People> {
  const known: [string, Person][] = [];
  for (const name of people) known.push([name, await ensurePerson(open, name)]);
  return Object.fromEntries(known) as unknown as People;
}

/**
 * Adds people, tasks, projects, comments and a webhook to a cluster, through its API. A second run adds only what is
 * missing. Throws SeedRefused in production, before it writes anything.
 */
export async function seed(place: NodeOptions, onTask: () => void): Promise<SeedResult> {
  const opened: TaskFlow[] = [];
  const open = (account?: Account): TaskFlow => {
    const taskflow = createTaskFlow({ ...place, credentials: { ...(account && { account }) } });
    opened.push(taskflow);
    return taskflow;
  };
  try {
    await refuseProduction(open());
    const known = await ensurePeople(open);
    const result: SeedResult = { password, emails: people.map(emailOf), added: 0, present: 0 };
    const seeding = { people: known, result, onTask };
    // Before the tasks, of which it is told.
    await ensureWebhook(known['Ada Lovelace']);
    for (const name of people)
      for (const [index, task] of ownTasks[name].entries())
        await ensureTask(seeding, known[name], task, { externalId: `seed-${index}`, projectId: '' });
    for (const project of projects) await seedProject(seeding, project);
    return result;
  } finally {
    for (const taskflow of opened) taskflow.close();
  }
}
