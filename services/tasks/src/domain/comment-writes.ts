import { TaskEventType } from '#contract/tasks/v1/tasks';
import { Comment, type CommentOrigin } from './comment.entity.ts';
import { commentEtagMismatch } from './comment.errors.ts';
import type { CommentWrite } from './comment.events.ts';
import type { Person, Task } from './task.entity.ts';

/** Of which task, by whom, and when. */
export interface CommentContext {
  task: Task;
  actor: Person;
  now: Date;
}

export function addOne(origin: Omit<CommentOrigin, 'taskId' | 'authorId'>, context: CommentContext): CommentWrite {
  const { task, actor, now } = context;
  const comment = Comment.create({ ...origin, taskId: task.id, authorId: actor.userId }, now);
  return toWrite(TaskEventType.COMMENT_ADDED, comment, context, comment.mentionIds);
}

/** Throws before it changes the comment. `etag` '' = any version. */
export function editOne(
  comment: Comment,
  { etag, ...edit }: { etag: string; text: string; mentionIds: string[] },
  context: CommentContext,
): CommentWrite {
  comment.requireEditor(context.actor);
  requireEtag(comment, etag);
  const mentioned = new Set(comment.mentionIds);
  comment.edit(edit, context.now);
  const added = comment.mentionIds.filter((id) => !mentioned.has(id));
  return toWrite(TaskEventType.COMMENT_EDITED, comment, context, added);
}

export function deleteOne(comment: Comment, etag: string, context: CommentContext): CommentWrite {
  comment.requireRemover(context.actor, context.task);
  requireEtag(comment, etag);
  comment.delete(context.now);
  return toWrite(TaskEventType.COMMENT_DELETED, comment, context, []);
}

function requireEtag(comment: Comment, etag: string): void {
  if (etag !== '' && !comment.hasEtag(etag)) throw commentEtagMismatch(comment.id);
}

function toWrite(
  type: TaskEventType,
  comment: Comment,
  { task, actor, now }: CommentContext,
  newMentionIds: readonly string[],
): CommentWrite {
  return { type, comment, task, newMentionIds, actorId: actor.userId, now };
}
