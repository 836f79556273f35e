import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { retry, TaskFlowError, timestampDate, type Account, type TaskFlow } from '#client/index';
import { createTaskFlow } from '#client/node';
import { NotificationKind, type Notification } from '#client/scheduler';
import { checkoutRoot, clientOptions, serviceNames, waitUntil, type Cluster } from '#dev/cluster';

export interface DemonstrationOptions {
  report?: (line: string) => void;
  /** That is registered; by default a new one. */
  account?: Account;
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
  const account = options.account ?? { email: `ann-${randomUUID().slice(0, 8)}@example.com`, password: randomUUID() };
  const [ann, admin] = [open(cluster, account), open(cluster, cluster.admin)];
  try {
    await begin();
    await register(ann, account);
    report(`registered ${account.email}`);
    await begin();
    const added = await importSample(cluster, account);
    report(`imported the sample todo.txt: ${added} tasks`);
    await begin();
    const { stats } = await retry(() => ann.tasks.getTaskStats({}));
    report(`open and past their due time: ${stats?.overdueCount}`);
    await begin();
    const run = await triggerSweep(admin);
    report(`an administrator started the overdue sweep (run ${run})`);
    await begin();
    const notifications = await awaitNotifications(ann);
    for (const { taskTitle, dueTime } of notifications)
      report(`notified: "${taskTitle}" was due ${dueTime && timestampDate(dueTime).toISOString()}`);
    return { ...account, added, overdue: stats?.overdueCount ?? 0n, notifications };
  } finally {
    ann.close();
    admin.close();
  }
}

function open(cluster: Cluster, { email, password }: Account): TaskFlow {
  const hosts = Object.fromEntries(serviceNames.map((service) => [service, cluster.address(service)]));
  return createTaskFlow({
    ...clientOptions(hosts, cluster.certificates),
    credentials: { account: { email, password } },
  });
}

/** When the answer of an earlier attempt was lost, the account exists already. */
async function register({ auth }: TaskFlow, account: Account): Promise<void> {
  await retry(async (attempt) => {
    try {
      await auth.register({ ...account, displayName: 'Ann Example' });
    } catch (error) {
      if (!(attempt > 0 && error instanceof TaskFlowError && error.reason === 'EMAIL_TAKEN')) throw error;
    }
  });
}

/** Runs what `npm run import` runs. */
async function importSample(cluster: Cluster, account: Account): Promise<number> {
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

async function triggerSweep({ scheduler }: TaskFlow): Promise<string> {
  const request = { scheduleId: 'overdue-sweep', requestId: `demonstration-${randomUUID()}` };
  const { runId } = await retry(() => scheduler.triggerSchedule(request));
  return runId;
}

async function awaitNotifications({ notifications }: TaskFlow): Promise<Notification[]> {
  const answer = await waitUntil(
    () => retry(() => notifications.listNotifications({})),
    (inbox) => inbox.notifications.filter(({ kind }) => kind === NotificationKind.OVERDUE).length >= sample.overdue,
  );
  return answer.notifications;
}
