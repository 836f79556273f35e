import { TaskEventType } from '#contract/tasks/v1/tasks';
import { Comment, type CommentOrigin } from './comment.entity.ts';
import { commentEtagMismatch } from './comment.errors.ts';
import type { CommentWrite } from './comment.events.ts';
import { requireOpenProject, type LockedTask } from './locked-task.ts';
import type { Person } from './person.ts';
import { requireOnTask } from './task-access.ts';
import type { Task } from './task.entity.ts';
import { remover } from './user-removal.ts';

/** Of which task, by whom, and when. */
export interface CommentContext {
  locked: LockedTask;
  actor: Person;
  now: Date;
}

export function addOne(origin: Omit<CommentOrigin, 'taskId' | 'authorId'>, context: CommentContext): CommentWrite {
  const { locked, actor, now } = context;
  const comment = Comment.create({ ...origin, taskId: locked.task.id, authorId: actor.userId }, now);
  return toWrite(TaskEventType.COMMENT_ADDED, comment, context, comment.mentionIds);
}

/** Throws unless the person may write comments of the task. */
export function requireCommenter({ locked, actor }: Omit<CommentContext, 'now'>): void {
  requireOnTask(actor, locked, { action: 'comment', what: 'comment' });
  requireOpenProject(locked);
}

/** Throws before it changes the comment. `etag` '' = any version. */
export function editOne(
  comment: Comment,
  { etag, ...edit }: { etag: string; text: string; mentionIds: string[] },
  context: CommentContext,
): CommentWrite {
  requireCommenter(context);
  comment.requireEditor(context.actor);
  requireEtag(comment, etag);
  const mentioned = new Set(comment.mentionIds);
  comment.edit(edit, context.now);
  const added = comment.mentionIds.filter((id) => !mentioned.has(id));
  return toWrite(TaskEventType.COMMENT_EDITED, comment, context, added);
}

export function deleteOne(comment: Comment, etag: string, context: CommentContext): CommentWrite {
  requireCommenter(context);
  comment.requireRemover(context.actor, context.locked);
  requireEtag(comment, etag);
  comment.delete(context.now);
  return toWrite(TaskEventType.COMMENT_DELETED, comment, context, []);
}

/** Deletes a comment of a person whose account is being removed. */
export function eraseOne(comment: Comment, task: Task, now: Date): CommentWrite {
  comment.delete(now);
  return { type: TaskEventType.COMMENT_DELETED, comment, task, newMentionIds: [], actorId: remover, now };
}

function requireEtag(comment: Comment, etag: string): void {
  if (etag !== '' && !comment.hasEtag(etag)) throw commentEtagMismatch(comment.id);
}

function toWrite(
  type: TaskEventType,
  comment: Comment,
  { locked: { task }, actor, now }: CommentContext,
  newMentionIds: readonly string[],
): CommentWrite {
  return { type, comment, task, newMentionIds, actorId: actor.userId, now };
}
