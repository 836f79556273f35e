import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { NotificationKind, NotificationsServiceService, type Notification } from '#contract/scheduler/v1/notifications';
import { SchedulerServiceService } from '#contract/scheduler/v1/scheduler';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { CallError, openPublicClient, retry } from '#libs/grpc';
import { checkoutRoot, waitUntil, type Cluster } from '#dev/cluster';

export interface DemonstrationOptions {
  report?: (line: string) => void;
  /** Called before each step, so that a test can cause a failure there. */
  onStep?: () => Promise<void>;
}

export interface DemonstrationResult {
  email: string;
  password: string;
  added: number;
  overdue: bigint;
  notifications: Notification[];
}

/** The lines of the sample file, and how many of them are open and past their due date. */
const sample = { file: join(checkoutRoot, 'services/tasks/import/sample.todo.txt'), lines: 6, overdue: 2 };

/**
 * Takes a new account from registration to a delivered notification, over the public API. Waits for services that are down.
 * Rejects when one stays down or a step fails.
 */
export async function runDemonstration(
  cluster: Cluster,
  options: DemonstrationOptions = {},
): Promise<DemonstrationResult> {
  const report = options.report ?? (() => undefined);
  const begin = async (): Promise<void> => options.onStep?.();
  const clients = openClients(cluster);
  try {
    await begin();
    const account = { email: `ann-${randomUUID().slice(0, 8)}@example.com`, password: randomUUID() };
    const token = await register(clients, account);
    report(`registered ${account.email}`);
    await begin();
    const added = await importSample(cluster, account);
    report(`imported the sample todo.txt: ${added} tasks`);
    await begin();
    const { stats } = await retry(() => clients.tasks.getTaskStats({}, { token }));
    report(`open and past their due time: ${stats?.overdueCount}`);
    await begin();
    const run = await triggerSweep(clients, cluster);
    report(`an administrator started the overdue sweep (run ${run})`);
    await begin();
    const notifications = await awaitNotifications(clients, token);
    for (const { taskTitle, dueTime } of notifications)
      report(`notified: "${taskTitle}" was due ${dueTime?.toISOString()}`);
    return { ...account, added, overdue: stats?.overdueCount ?? 0n, notifications };
  } finally {
    clients.close();
  }
}

type Clients = ReturnType<typeof openClients>;

function openClients(cluster: Cluster) {
  const { certificates } = cluster;
  const auth = openPublicClient(AuthServiceService, cluster.address('auth'), { certificates });
  const tasks = openPublicClient(TasksServiceService, cluster.address('tasks'), { certificates });
  const scheduler = openPublicClient(SchedulerServiceService, cluster.address('scheduler'), { certificates });
  const notifications = openPublicClient(NotificationsServiceService, cluster.address('scheduler'), { certificates });
  const close = (): void => [auth, tasks, scheduler, notifications].forEach((client) => client.close());
  return { auth, tasks, scheduler, notifications, close };
}

interface Credentials {
  email: string;
  password: string;
}

async function signIn(clients: Clients, { email, password }: Credentials): Promise<string> {
  const { tokens } = await retry(() => clients.auth.login({ email, password }));
  return tokens?.accessToken ?? '';
}

/** When the answer of an earlier attempt was lost, the account exists already and only signs in. */
async function register(clients: Clients, account: Credentials): Promise<string> {
  await retry(async (attempt) => {
    try {
      await clients.auth.register({ ...account, displayName: 'Ann Example' });
    } catch (error) {
      if (!(attempt > 0 && error instanceof CallError && error.reason === 'EMAIL_TAKEN')) throw error;
    }
  });
  return signIn(clients, account);
}

/** Runs what `npm run import` runs. */
async function importSample(cluster: Cluster, account: Credentials): Promise<number> {
  const env = {
    ...process.env,
    TASKFLOW_EMAIL: account.email,
    TASKFLOW_PASSWORD: account.password,
    TASKFLOW_AUTH_ADDRESS: cluster.address('auth'),
    TASKFLOW_TASKS_ADDRESS: cluster.address('tasks'),
    ...cluster.clientEnv,
  };
  const script = join(checkoutRoot, 'services/tasks/import/main.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, sample.file], { env });
  const added = Number(/^(\d+) added/m.exec(stdout)?.[1]);
  if (added !== sample.lines) throw new Error(`the import said: ${stdout.trim()}`);
  return added;
}

async function triggerSweep(clients: Clients, cluster: Cluster): Promise<string> {
  const token = await signIn(clients, cluster.admin);
  const request = { scheduleId: 'overdue-sweep', requestId: `demonstration-${randomUUID()}` };
  const { runId } = await retry(() => clients.scheduler.triggerSchedule(request, { token }));
  return runId;
}

async function awaitNotifications(clients: Clients, token: string): Promise<Notification[]> {
  const answer = await waitUntil(
    () => clients.notifications.listNotifications({}, { token }),
    ({ notifications }) =>
      notifications.filter(({ kind }) => kind === NotificationKind.OVERDUE).length >= sample.overdue,
  );
  return answer.notifications;
}
