import type { Notification, WatchNotificationsResponse } from '#contract/scheduler/v1/notifications';
import type { TestUser } from './start-cluster.ts';
import type { TestScheduler } from './start-scheduler.ts';

export interface WatchingInbox {
  readonly resumeToken: string;
  notifications(): Notification[];
  /** Resolves when the condition holds, which is checked after each message; rejects when the stream ends before. */
  until(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves with the first heartbeat. Goes on from a token when one is given. */
export async function watchInbox(
  service: Pick<TestScheduler, 'notifications'>,
  user: TestUser,
  resumeToken = '',
): Promise<WatchingInbox> {
  const leaving = new AbortController();
  const messages: WatchNotificationsResponse[] = [];
  let look = (): void => undefined;
  let failure: { error: unknown } | undefined;
  const read = async (): Promise<void> => {
    try {
      for await (const message of service.notifications.watchNotifications(
        { resumeToken },
        { ...user.as, signal: leaving.signal },
      )) {
        messages.push(message);
        look();
      }
      failure = { error: new Error('the stream ended') };
    } catch (error) {
      failure = { error };
    }
    look();
  };
  const ended = read();
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      look = () => {
        if (condition()) resolve();
        else if (failure !== undefined) reject(failure.error as Error);
      };
      look();
    });
  await until(() => messages.some(({ notification }) => notification === undefined));
  return {
    get resumeToken() {
      return messages.at(-1)?.resumeToken ?? resumeToken;
    },
    notifications: () => messages.flatMap(({ notification }) => notification ?? []),
    until,
    stop: async () => {
      leaving.abort();
      await ended;
    },
  };
}
