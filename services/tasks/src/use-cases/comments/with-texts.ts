import type { ReaderEvent } from '#contract/tasks/v1/readers';
import type { TaskEvent } from '#contract/tasks/v1/tasks';
import type { TasksDeps } from '../../deps.ts';
import { commentIdsOf, withText } from '../../domain/comment.events.ts';

/** The events, of which the latest of each comment has its text. */
export async function withTexts(
  { commentReader }: Pick<TasksDeps, 'commentReader'>,
  events: readonly TaskEvent[],
): Promise<TaskEvent[]> {
  const comments = await commentReader.findMany(commentIdsOf(events));
  return events.map((event) => withText(event, comments));
}

/** The same for readers, who may see what the events have: where they may not see the comment, the event has none. */
export async function withTextsForReader(
  { commentReader }: Pick<TasksDeps, 'commentReader'>,
  events: readonly ReaderEvent[],
): Promise<ReaderEvent[]> {
  const ofTasks = events.flatMap(({ event }) => (event?.$case === 'task' ? [event.value] : []));
  const comments = await commentReader.findMany(commentIdsOf(ofTasks));
  return events.map((told) =>
    told.event?.$case === 'task'
      ? { ...told, event: { ...told.event, value: withText(told.event.value, comments) } }
      : told,
  );
}
