import { AuthServiceService } from '#contract/auth/v1/auth';
import { ServerFeature, ServerInfoServiceService } from '#contract/server/v1/server';
import { Task, TaskPriority, TaskStatus, TasksServiceService } from '#contract/tasks/v1/tasks';
import { UsersServiceService } from '#contract/users/v1/users';
import { CallError, openPublicClient, retry } from '#libs/grpc';
import type { Certificates } from '#libs/runtime';

interface SeedPlace {
  auth: string;
  users: string;
  tasks: string;
  /** Without: in plaintext. */
  certificates?: Certificates | undefined;
}

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

type Clients = ReturnType<typeof openClients>;

function openClients({ certificates, ...addresses }: SeedPlace) {
  const auth = openPublicClient(AuthServiceService, addresses.auth, { certificates });
  const users = openPublicClient(UsersServiceService, addresses.users, { certificates });
  const tasksClient = openPublicClient(TasksServiceService, addresses.tasks, { certificates });
  const server = openPublicClient(ServerInfoServiceService, addresses.tasks, { certificates });
  return {
    auth,
    users,
    tasks: tasksClient,
    server,
    close: () => [auth, users, tasksClient, server].forEach((client) => client.close()),
  };
}

interface Seeded {
  userId: string;
  token: string;
}

/** Registers a person, unless the account exists, and signs in. */
async function ensurePerson({ auth, users }: Clients, displayName: string): Promise<Seeded> {
  const account = { email: emailOf(displayName), password };
  await retry(() =>
    auth.register({ ...account, displayName }).catch((error: unknown) => {
      if (!(error instanceof CallError && error.reason === 'EMAIL_TAKEN')) throw error;
    }),
  );
  const { account: found, tokens } = await retry(() => auth.login(account));
  const token = tokens?.accessToken ?? '';
  // Nobody can be an assignee before the profile has arrived.
  await retry(() => users.getMe({}, { token }));
  return { userId: found?.id ?? '', token };
}

function toTask(
  { title, dueInDays, status, priority, labels = [], shared }: SeedTask,
  number: number,
  other: Seeded,
): Task {
  return Task.fromPartial({
    title,
    labels,
    externalId: `seed-${number}`,
    ...(dueInDays !== undefined && {
      due: { $case: 'dueTime' as const, value: new Date(Date.now() + dueInDays * dayMs) },
    }),
    ...(status !== undefined && { status }),
    ...(priority !== undefined && { priority }),
    ...(shared === true && { assigneeId: other.userId }),
  });
}

/** A second run finds the task by its external id. */
async function ensureTask({ tasks: client }: Clients, owner: Seeded, task: Task): Promise<'added' | 'present'> {
  return retry(async () => {
    try {
      await client.createTask({ task }, { token: owner.token });
      return 'added';
    } catch (error) {
      if (error instanceof CallError && error.reason === 'EXTERNAL_ID_TAKEN') return 'present';
      throw error;
    }
  });
}

/** Only servers outside production offer the API reference; they are asked before anything is written. */
async function refuseProduction({ server }: Clients): Promise<void> {
  if (process.env['TASKFLOW_ENV'] === 'production')
    throw new SeedRefused('TASKFLOW_ENV is production: seed data is for development only');
  const { features } = await retry(() => server.getServerInfo({}));
  if (!features.includes(ServerFeature.API_DOCS))
    throw new SeedRefused('the server runs in production: seed data is for development only');
}

/**
 * Adds people and tasks to a cluster, through its API. A second run adds only what is missing. Throws SeedRefused in
 * production, before it writes anything.
 */
export async function seed(place: SeedPlace, onTask: () => void): Promise<SeedResult> {
  const clients = openClients(place);
  try {
    await refuseProduction(clients);
    const seeded: Seeded[] = [];
    for (const name of people) seeded.push(await ensurePerson(clients, name));
    const result: SeedResult = { password, emails: people.map(emailOf), added: 0, present: 0 };
    for (const [index, owner] of seeded.entries()) {
      const other = seeded[(index + 1) % seeded.length] ?? owner;
      for (const [number, task] of tasks.entries()) {
        result[await ensureTask(clients, owner, toTask(task, number, other))] += 1;
        onTask();
      }
    }
    return result;
  } finally {
    clients.close();
  }
}
