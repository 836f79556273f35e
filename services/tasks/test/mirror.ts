import { TaskScope, type SyncTasksResponse, type Task, type WatchTasksResponse } from '#contract/tasks/v1/tasks';
import type { TestTasks, TestUser } from './start-tasks.ts';

type Service = Pick<TestTasks, 'tasks'>;

/** A stream of WatchTasks, with the messages that it has sent. */
export interface Watching {
  news: WatchTasksResponse[];
  resumeToken: string;
  /** Resolves when the condition holds, which is checked after each message. Rejects when the stream ends before. */
  until(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

export function events({ news }: Pick<Watching, 'news'>): NonNullable<WatchTasksResponse['event']>[] {
  return news.flatMap(({ event }) => event ?? []);
}

/** Opens a stream, from a token if one is given. Resolves with the first heartbeat. */
export async function watch(
  service: Service,
  user: TestUser,
  resumeToken = '',
  scope: TaskScope = TaskScope.UNSPECIFIED,
): Promise<Watching> {
  const leaving = new AbortController();
  const stream = service.tasks.watchTasks({ resumeToken, scope }, { ...user.as, signal: leaving.signal });
  const waiting = new Set<{ look: () => void; fail: (error: unknown) => void }>();
  const state = { news: [] as WatchTasksResponse[], resumeToken };
  let failure: unknown;
  const read = async (): Promise<void> => {
    try {
      for await (const message of stream) {
        state.news.push(message);
        state.resumeToken = message.resumeToken;
        for (const { look } of waiting) look();
      }
      failure = new Error('the stream ended');
    } catch (error) {
      failure = error;
    }
    for (const { fail } of waiting) fail(failure);
  };
  const ended = read();
  const watching: Watching = Object.assign(state, {
    until: (condition: () => boolean) =>
      new Promise<void>((resolve, fail) => {
        const waiter = {
          look: () => {
            if (condition()) {
              waiting.delete(waiter);
              resolve();
            }
          },
          fail,
        };
        if (failure !== undefined) return fail(failure);
        waiting.add(waiter);
        waiter.look();
      }),
    stop: async () => {
      leaving.abort();
      await ended;
    },
  });
  await watching.until(() => state.news.some(({ event }) => event === undefined));
  return watching;
}

/** Applies messages to a copy of tasks. The highest version of a task wins. */
export function applyNews(tasks: Map<string, Task>, versions: Map<string, bigint>, news: WatchTasksResponse[]): void {
  for (const { event, removed } of news) {
    if (event === undefined || event.taskVersion < (versions.get(event.taskId) ?? 0n)) continue;
    versions.set(event.taskId, event.taskVersion);
    if (removed) tasks.delete(event.taskId);
    else if (event.change?.after !== undefined) tasks.set(event.taskId, event.change.after);
  }
}

function applyPage(tasks: Map<string, Task>, page: SyncTasksResponse): void {
  for (const task of [...tasks.values()]) if (page.removedProjectIds.includes(task.projectId)) tasks.delete(task.id);
  for (const task of page.tasks) tasks.set(task.id, task);
  for (const id of page.removedTaskIds) tasks.delete(id);
}

/** Brings a copy up to date by SyncTasks; returns the next token. */
export async function sync(
  service: Service,
  user: TestUser,
  tasks: Map<string, Task>,
  {
    syncToken = '',
    pageSize = 0,
    scope = TaskScope.UNSPECIFIED,
  }: { syncToken?: string; pageSize?: number; scope?: TaskScope } = {},
): Promise<string> {
  let pageToken = '';
  for (;;) {
    const page = await service.tasks.syncTasks({ syncToken, pageSize, pageToken, scope }, user.as);
    applyPage(tasks, page);
    if ((page.nextPageToken === '') === (page.nextSyncToken === '')) throw new Error('a page has one next token');
    if (page.nextPageToken === '') return page.nextSyncToken;
    pageToken = page.nextPageToken;
  }
}

/** Repeats expectations until they hold: transactions of other tests on the same server may delay events. */
export async function settle(look: () => Promise<void>, giveUpAfterMs = 45_000): Promise<void> {
  const giveUp = Date.now() + giveUpAfterMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > giveUp) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
