import type { FeedPage, Position, StoredEvent } from '#libs/events';
import type { Comment } from '#contract/tasks/v1/comment_types';
import type { TasksDeps } from '../../deps.ts';
import { commentIdOf } from '../../domain/comment.events.ts';
import { sizeOfComment } from '../../domain/comment.messages.ts';

/** Beside the tasks of a page, whose size has a bound of its own. */
const maxCommentBytes = 512 * 1024;

/**
 * The comments that the followed events of a page tell of, as they are now, each once; and the page, cut off where they
 * would be too many. Whether the reader may see them is not asked.
 */
export async function commentsOfPage(
  { commentReader }: Pick<TasksDeps, 'commentReader'>,
  page: FeedPage,
  isFollowed: (event: StoredEvent) => boolean,
): Promise<{ page: FeedPage; comments: Comment[] }> {
  const ids = page.events.map((event) => (isFollowed(event) ? commentIdOf(event) : undefined));
  const found = await commentReader.findMany([...new Set(ids.flatMap((id) => id ?? []))]);
  const told = new Map<string, Comment>();
  let bytes = 0;
  for (const [index, id] of ids.entries()) {
    const comment = found.get(id ?? '');
    if (comment === undefined || told.has(comment.id)) continue;
    bytes += sizeOfComment(comment);
    if (bytes > maxCommentBytes) {
      const events = page.events.slice(0, index);
      const next = positionBefore(page.events, index);
      return { page: { ...page, events, next, more: true }, comments: [...told.values()] };
    }
    told.set(comment.id, comment);
  }
  return { page, comments: [...told.values()] };
}

export function positionBefore(events: readonly StoredEvent[], index: number): Position {
  const event = events[index - 1];
  if (event === undefined) throw new Error('a page has room for its first event');
  return event.position;
}
