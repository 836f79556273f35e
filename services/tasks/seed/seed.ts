import { create, retry, TaskFlowError, timestampFromDate, type Account, type TaskFlow } from '#client/index';
import { createTaskFlow, type NodeOptions } from '#client/node';
import { ServerFeature, ServerInfoService } from '#client/server';
import { TaskPriority, TaskSchema, TaskStatus, type Task } from '#client/tasks';

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
const people = ['Ada Lovelace', 'Grace Hopper', 'Katherine Johnson'];
const emailOf = (name: string): string => `${name.split(' ')[0]?.toLowerCase()}@seed.taskflow.example`;

const dayMs = 24 * 3_600_000;

interface SeedTask {
  title: string;
  /** Negative = overdue. */
  dueInDays?: number;
  status?: TaskStatus;
  priority?: TaskPriority;
  labels?: string[];
  /** Assigned to another person. */
  shared?: boolean;
}

/** The tasks of each person: in every status, with and without due time, overdue, shared. */
const tasks: readonly SeedTask[] = [
  { title: 'Write the release notes', dueInDays: 2, priority: TaskPriority.HIGH, labels: ['docs', 'release'] },
  { title: 'Water the plants', dueInDays: -1, labels: ['home'] },
  {
    title: 'Renew the certificate',
    dueInDays: -3,
    priority: TaskPriority.URGENT,
    labels: ['operations'],
    shared: true,
  },
  { title: 'Answer the survey', status: TaskStatus.COMPLETED, priority: TaskPriority.LOW },
  { title: 'Review the contract', status: TaskStatus.IN_PROGRESS, dueInDays: 5, labels: ['docs'], shared: true },
  { title: 'Plan the offsite', labels: ['team'] },
  { title: 'Order new chairs', status: TaskStatus.CANCELLED, labels: ['office'] },
  {
    title: 'Measure the sweep',
    status: TaskStatus.IN_PROGRESS,
    priority: TaskPriority.HIGH,
    labels: ['bench', 'operations'],
  },
  { title: 'Call the landlord', dueInDays: 14, priority: TaskPriority.LOW, shared: true },
  { title: 'Clean the inbox', dueInDays: 1 },
];

interface Person {
  taskflow: TaskFlow;
  userId: string;
}

/** Registers a person, unless the account exists, and signs in. */
async function ensurePerson(open: (account: Account) => TaskFlow, displayName: string): Promise<Person> {
  const account = { email: emailOf(displayName), password };
  const taskflow = open(account);
  await retry(() =>
    taskflow.auth.register({ ...account, displayName }).catch((error: unknown) => {
      if (!(error instanceof TaskFlowError && error.reason === 'EMAIL_TAKEN')) throw error;
    }),
  );
  // Nobody can be an assignee before the profile has arrived.
  const { user } = await retry(() => taskflow.users.getMe({}));
  return { taskflow, userId: user?.id ?? '' };
}

function toTask({ dueInDays, shared, ...task }: SeedTask, number: number, other: Person): Task {
  return create(TaskSchema, {
    ...task,
    externalId: `seed-${number}`,
    ...(dueInDays !== undefined && {
      due: { case: 'dueTime', value: timestampFromDate(new Date(Date.now() + dueInDays * dayMs)) },
    }),
    ...(shared === true && { assigneeId: other.userId }),
  });
}

/** A second run finds the task by its external id. */
async function ensureTask({ taskflow }: Person, task: Task): Promise<'added' | 'present'> {
  return retry(async () => {
    try {
      await taskflow.tasks.createTask({ task });
      return 'added';
    } catch (error) {
      if (error instanceof TaskFlowError && error.reason === 'EXTERNAL_ID_TAKEN') return 'present';
      throw error;
    }
  });
}

/** Only servers outside production offer the API reference; they are asked before anything is written. */
async function refuseProduction({ connection }: TaskFlow): Promise<void> {
  if (process.env['TASKFLOW_ENV'] === 'production')
    throw new SeedRefused('TASKFLOW_ENV is production: seed data is for development only');
  const { features } = await retry(() => connection.service(ServerInfoService, { at: 'tasks' }).getServerInfo({}));
  if (!features.includes(ServerFeature.API_DOCS))
    throw new SeedRefused('the server runs in production: seed data is for development only');
}

/**
 * Adds people and tasks to a cluster, through its API. A second run adds only what is missing. Throws SeedRefused in
 * production, before it writes anything.
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
    const seeded: Person[] = [];
    for (const name of people) seeded.push(await ensurePerson(open, name));
    const result: SeedResult = { password, emails: people.map(emailOf), added: 0, present: 0 };
    for (const [index, owner] of seeded.entries()) {
      const other = seeded[(index + 1) % seeded.length] ?? owner;
      for (const [number, task] of tasks.entries()) {
        result[await ensureTask(owner, toTask(task, number, other))] += 1;
        onTask();
      }
    }
    return result;
  } finally {
    for (const taskflow of opened) taskflow.close();
  }
}
