import type { NewEvent, StoredEvent } from '#libs/events';
import type { Comment as CommentMessage } from '#contract/tasks/v1/comment_types';
import type { TaskEventType } from '#contract/tasks/v1/tasks';
import { TaskChange, type TaskEvent } from '#contract/tasks/v1/tasks';
import { toCommentMessage } from './comment.columns.ts';
import type { Comment } from './comment.entity.ts';
import { audienceOf } from './task-audience.ts';
import type { Task } from './task.entity.ts';
import { streamOf } from './task.events.ts';
import { toTaskMessage } from './task.messages.ts';

/** A change of a comment. Its row and its event derive from this. */
export interface CommentWrite {
  type: TaskEventType;
  comment: Comment;
  /** Its task, which stays as it is. */
  task: Task;
  /** Those whom the comment mentions and did not mention before. */
  newMentionIds: readonly string[];
  actorId: string;
  now: Date;
}

/**
 * The one event of the change, in the stream of the task. It holds the task once, since nothing of it changes, and not
 * the text, which stands in the row alone: so a deletion need not look for events.
 */
export function toCommentEvent({ type, comment, task, newMentionIds, actorId, now }: CommentWrite): NewEvent {
  const change = TaskChange.fromPartial({
    after: toTaskMessage(task, now),
    dueVersion: task.dueVersion,
    comment: { ...toCommentMessage(comment, {}), text: '' },
    newMentions: newMentionIds.length === 0 ? undefined : { userIds: [...newMentionIds] },
  });
  return {
    streamId: streamOf(task),
    type,
    subjectId: task.id,
    subjectVersion: task.version,
    actor: actorId,
    audience: audienceOf(change),
    payload: TaskChange.encode(change).finish(),
  };
}

/** The comment that a stored event tells of. */
export const commentIdOf = ({ type, payload }: Pick<StoredEvent, 'type' | 'payload'>): string | undefined =>
  type.startsWith('TASK_EVENT_TYPE_COMMENT_') ? TaskChange.decode(payload).comment?.id : undefined;

/** The comments that some events tell of. */
export const commentIdsOf = (events: readonly TaskEvent[]): string[] => [
  ...new Set(events.flatMap(({ change }) => change?.comment?.id ?? [])),
];

/**
 * The event with the text, when it is the latest of its comment. So nobody reads in an event what was written after it,
 * which they may not be allowed to see.
 */
export function withText(event: TaskEvent, comments: ReadonlyMap<string, CommentMessage>): TaskEvent {
  const { change } = event;
  if (change?.comment === undefined) return event;
  const { id, etag } = change.comment;
  const current = comments.get(id);
  return current?.etag === etag ? { ...event, change: { ...change, comment: current } } : event;
}
