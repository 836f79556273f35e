import { TaskEventType, type TaskEvent } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../../deps.ts';

/** Watchers are told of these. */
const isForWatchers = ({ type, change }: TaskEvent): boolean =>
  type === TaskEventType.COMMENT_ADDED ||
  (type === TaskEventType.UPDATED && change?.before?.status !== change?.after?.status);

const mentionsIn = ({ change }: TaskEvent): string[] => change?.newMentions?.userIds ?? [];

/**
 * The events with those who are to be told of them, as of now: who watches the task and sees it, and whom a comment
 * mentions who sees it. Whoever did it is not told.
 */
export async function withReaders(
  { watcherReader }: Pick<TasksDeps, 'watcherReader'>,
  events: readonly TaskEvent[],
): Promise<TaskEvent[]> {
  const watched = events.filter(isForWatchers).map(({ taskId }) => taskId);
  const pairs = events.flatMap((event) =>
    mentionsIn(event).map((userId) => ({ taskId: event.taskId, userId, commentId: '' })),
  );
  const [watchers, mayRead] = await Promise.all([
    watcherReader.ofTasks([...new Set(watched)]),
    watcherReader.mayRead(pairs),
  ]);
  const watchersOf = Map.groupBy(watchers, ({ taskId }) => taskId);
  const readers = new Set(
    pairs.filter((_, index) => mayRead[index]).map(({ taskId, userId }) => `${taskId} ${userId}`),
  );
  return events.map((event) => {
    const { taskId, actor } = event;
    const [watching, stopped] = isForWatchers(event) ? choicesOf(watchersOf.get(taskId) ?? []) : [[], []];
    const mentioned = mentionsIn(event).filter((userId) => readers.has(`${taskId} ${userId}`));
    const others = (ids: string[]): string[] => ids.filter((id) => id !== actor);
    return {
      ...event,
      readers: { watcherIds: others(watching), mentionedIds: others(mentioned), stoppedIds: stopped },
    };
  });
}

function choicesOf(choices: readonly { userId: string; watching: boolean }[]): [watching: string[], stopped: string[]] {
  const idsOf = (wanted: boolean) => choices.filter(({ watching }) => watching === wanted).map(({ userId }) => userId);
  return [idsOf(true), idsOf(false)];
}
