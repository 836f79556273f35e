import { NotificationKind, type Notification } from '#contract/scheduler/v1/notifications';
import type { Task, TaskStats } from '#contract/tasks/v1/tasks';
import type { Account } from '../effects/accounts.ts';
import type { Caller } from './caller.ts';
import type { DrillCluster } from './drill-cluster.ts';

const readMs = 10_000;
const as = ({ token }: Account) => ({ token, timeoutMs: readMs });

interface Page<T> {
  items: T[];
  nextPageToken: string;
}

async function allPages<T>(read: (pageToken: string) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  for (let pageToken = '', more = true; more; more = pageToken !== '') {
    const page = await read(pageToken);
    all.push(...page.items);
    pageToken = page.nextPageToken;
  }
  return all;
}

/** Every task that the person owns or that is assigned to them, deleted ones too. */
export async function listMine(drillCluster: DrillCluster, caller: Caller, account: Account): Promise<Task[]> {
  return allPages(async (pageToken) => {
    const request = { pageToken, pageSize: 500, showDeleted: true };
    const read = () => drillCluster.clients.tasks.listTasks(request, as(account));
    const page = await caller.persist('ListTasks', read, { grantedMs: readMs });
    return { items: page.tasks, nextPageToken: page.nextPageToken };
  });
}

/** All notifications of a person; the members of a digest follow it. */
export async function listInbox(drillCluster: DrillCluster, caller: Caller, account: Account): Promise<Notification[]> {
  const list = (digestId: string): Promise<Notification[]> =>
    allPages(async (pageToken) => {
      const request = { pageToken, pageSize: 500, digestId };
      const read = () => drillCluster.clients.notifications.listNotifications(request, as(account));
      const page = await caller.persist('ListNotifications', read, { grantedMs: readMs });
      return { items: page.notifications, nextPageToken: page.nextPageToken };
    });
  const inbox = await list('');
  const digests = inbox.filter(({ kind }) => kind === NotificationKind.OVERDUE_DIGEST);
  return [...inbox, ...(await Promise.all(digests.map(({ id }) => list(id)))).flat()];
}

export async function readStats(
  drillCluster: DrillCluster,
  caller: Caller,
  account: Account,
): Promise<TaskStats | undefined> {
  const read = () => drillCluster.clients.tasks.getTaskStats({}, as(account));
  return (await caller.persist('GetTaskStats', read, { grantedMs: readMs })).stats;
}
