import type { Task, WatchTasksResponse } from '#contract/tasks/v1/tasks';
import type { TestTasks, TestUser } from './start-tasks.ts';

type Service = Pick<TestTasks, 'tasks'>;

/** What a client keeps that follows its tasks by WatchTasks: for each task the news of the highest version. */
export interface Watching {
  news: WatchTasksResponse[];
  resumeToken: string;
  /** Resolves when the condition holds, which is asked after each message; rejects when the stream ends before. */
  until(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

export function events({ news }: Pick<Watching, 'news'>): NonNullable<WatchTasksResponse['event']>[] {
  return news.flatMap(({ event }) => event ?? []);
}

/** Resolves with the first heartbeat. Goes on from a token when one is given. */
export async function watch(service: Service, user: TestUser, resumeToken = ''): Promise<Watching> {
  const leaving = new AbortController();
  const stream = service.tasks.watchTasks({ resumeToken }, { ...user.as, signal: leaving.signal });
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
        const waiter = { look: () => { if (condition()) { waiting.delete(waiter); resolve(); } }, fail };
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

/** Applies news to tasks: of several about one task the highest version counts. */
export function applyNews(tasks: Map<string, Task>, versions: Map<string, bigint>, news: WatchTasksResponse[]): void {
  for (const { event, removed } of news) {
    if (event === undefined || event.taskVersion < (versions.get(event.taskId) ?? 0n)) continue;
    versions.set(event.taskId, event.taskVersion);
    if (removed) tasks.delete(event.taskId);
    else if (event.change?.after !== undefined) tasks.set(event.taskId, event.change.after);
  }
}

/** Brings a copy up to date by SyncTasks; returns the next token. */
export async function sync(service: Service, user: TestUser, tasks: Map<string, Task>, { syncToken = '', pageSize = 0 } = {}): Promise<string> {
  let token = syncToken;
  for (;;) {
    const page = await service.tasks.syncTasks({ syncToken: token, pageSize }, user.as);
    for (const task of page.tasks) tasks.set(task.id, task);
    for (const id of page.removedTaskIds) tasks.delete(id);
    token = page.nextSyncToken;
    if (!page.more) return token;
  }
}

/** Repeats a look until what it expects holds: news may be held back for a moment by transactions of other tests in the same server. */
export async function settle(look: () => Promise<void>, patienceMs = 45_000): Promise<void> {
  const giveUp = Date.now() + patienceMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (Date.now() > giveUp) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
