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
