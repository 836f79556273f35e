import { NotificationKind, type Notification } from '#contract/scheduler/v1/notifications';
import type { Task, TaskStats } from '#contract/tasks/v1/tasks';
import type { Account } from './account.ts';
import type { Caller } from './caller.ts';
import type { Stage } from './stage.ts';

type As = { token: string; timeoutMs: number };
const as = ({ token }: Account): As => ({ token, timeoutMs: 10_000 });

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
export async function listMine(stage: Stage, caller: Caller, account: Account): Promise<Task[]> {
  return allPages(async (pageToken) => {
    const request = { pageToken, pageSize: 500, showDeleted: true };
    const page = await caller.persist('ListTasks', () => stage.clients.tasks.listTasks(request, as(account)));
    return { items: page.tasks, nextPageToken: page.nextPageToken };
  });
}

/** Everything that somebody was told; a digest is followed by what it stands for. */
export async function listInbox(stage: Stage, caller: Caller, account: Account): Promise<Notification[]> {
  const list = (digestId: string): Promise<Notification[]> =>
    allPages(async (pageToken) => {
      const request = { pageToken, pageSize: 500, digestId };
      const page = await caller.persist('ListNotifications', () => stage.clients.notifications.listNotifications(request, as(account)));
      return { items: page.notifications, nextPageToken: page.nextPageToken };
    });
  const inbox = await list('');
  const digests = inbox.filter(({ kind }) => kind === NotificationKind.OVERDUE_DIGEST);
  return [...inbox, ...(await Promise.all(digests.map(({ id }) => list(id)))).flat()];
}

export async function readStats(stage: Stage, caller: Caller, account: Account): Promise<TaskStats | undefined> {
  return (await caller.persist('GetTaskStats', () => stage.clients.tasks.getTaskStats({}, as(account)))).stats;
}
